"""What a report says of a model's inputs."""

import numpy as np

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.examples.dataset import Split
from bmtrain.workflows.reporting.inputs import _row
from bmtrain.workflows.reporting.mistakes import _num_full


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


def test_texts_that_fill_the_input_are_counted():
    split = Split(np.array([[2, 3, 4], [2, 0, 0], [1, 1, 1]], np.uint16), np.zeros(3, np.int32))
    words = TextEncoding("text", "word", lowercase=True, length=3, vocabulary=("a", "b", "c"))
    assert _num_full(words, split) == 2
    assert _num_full(None, split) is None
