"""What a report says of a model's inputs."""

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput
from bmtrain.workflows.reporting.inputs import _row


def test_a_column_says_how_it_becomes_how_many_inputs():
    assert _row(CategoricalInput("sex", ("f", "m"), may_be_missing=True), "standardized") == (
        "sex",
        "one input each for f, m; one for anything else and one for a missing value",
        "4",
    )
    assert _row(NumericInput("mass", 4.5, has_indicator=True), "standardized") == (
        "mass",
        "a number, standardized; where it is missing, 4.5, and an input that says so",
        "2",
    )
    assert _row(NumericInput("mass"), "as it is") == ("mass", "a number, as it is", "1")
