import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.config.expectations import ExpectationSyntaxError, parse_expectation


def test_an_expectation_is_read():
    found = parse_expectation(" test.accuracy >= 0.97 ")
    assert (found.split, found.metric, found.operator, found.threshold, found.text) == (
        "test", "accuracy", ">=", 0.97, "test.accuracy >= 0.97")  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value", "is_met"),
    [
        ("test.loss <= 0.5", 0.5, True),
        ("test.loss < 0.5", 0.5, False),
        ("test.loss >= 0.5", 0.5, True),
        ("test.loss > 0.5", 0.5, False),
        ("test.loss>0.5", 0.6, True),
        ("test.loss<5e-1", 0.4, True),
        ("test.loss > -.5", 0.0, True),
        ("test.loss < 1", math.nan, False),
        ("test.loss > 1", math.nan, False),
        ("test.loss > 1", math.inf, True),
    ],
)
def test_a_bound_holds_or_not(text, value, is_met):
    assert parse_expectation(text).is_met_by(value) is is_met


def test_short_names_of_metrics_mean_the_long_ones():
    assert parse_expectation("test.rmse < 1").metric == "root_mean_squared_error"


@pytest.mark.parametrize(
    "text",
    ["", "test", "test.accuracy", "test.accuracy 0.9", "test.accuracy = 0.9", "test.accuracy => 0.9",
     "test.accuracy == 0.9", "accuracy >= 0.9", "test.accuracy >= ninety", "test.accuracy >= .nan",
     "test.accuracy >= 0.9 or so", "test.accuracy >=", "a.b.c > 1", "test.accuracy >= ٣",
     "x" * 10_000],
)  # fmt: skip
def test_another_form_is_refused_with_an_example(text):
    with pytest.raises(ExpectationSyntaxError) as caught:
        parse_expectation(text)
    assert "for example 'test.accuracy >= 0.97'" in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("operator", ["=", "==", "=>", "=<"])
def test_a_wrong_sign_is_told_the_right_ones(operator):
    with pytest.raises(ExpectationSyntaxError, match="write >= or <="):
        parse_expectation(f"test.accuracy {operator} 0.9")


@given(
    st.sampled_from(["train", "validation", "test"]),
    st.sampled_from(["loss", "accuracy", "top_5_accuracy"]),
    st.sampled_from([">=", "<=", ">", "<"]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_what_is_written_is_read(split, metric, sign, threshold):
    found = parse_expectation(f"{split}.{metric} {sign} {threshold!r}")
    assert (found.split, found.metric, found.operator) == (split, metric, sign)
    assert found.threshold == threshold


@given(st.text(max_size=30))
def test_any_text_is_an_expectation_or_refused(text):
    with suppress(ExpectationSyntaxError):
        assert parse_expectation(text).text == text.strip()
