"""Differences of documents and arrays: every bit, told with its name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.differences import Difference, array_differences, plain_differences

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_differences_have_dotted_keys_and_both_values():
    then = {"a": {"b": 1, "c": [1, 2]}, "d": None, "e": True}
    now = {"a": {"b": 1.0, "c": [1, 3]}, "e": 1, "f": "x"}
    assert list(plain_differences(then, now)) == [
        Difference("a.b", "1", "1.0"),
        Difference("a.c", "[1, 2]", "[1, 3]"),
        Difference("d", "null", "absent"),
        Difference("e", "true", "1"),
        Difference("f", "absent", '"x"'),
    ]


@given(documents)
def test_a_document_does_not_differ_from_itself(document):
    assert list(plain_differences(document, document)) == []


def test_long_values_are_cut():
    (entry,) = plain_differences({"a": list(range(1000))}, {"a": 0})
    assert len(entry.then) < 70


def test_a_sign_of_zero_is_a_difference_and_a_nan_equals_itself():
    first = {"a": np.array([0.0, np.nan], np.float32), "b": np.array([np.nan])}
    second = {"a": np.array([-0.0, np.nan], np.float32), "b": np.array([np.nan])}
    (entry,) = array_differences(first, second)
    assert (entry.name, entry.largest) == ("a", 0.0)
    assert list(array_differences(first, first)) == []


@pytest.mark.parametrize(
    ("second", "largest"),
    [
        (np.array([1.0, 2.5]), 0.25),  # |2 − 2.5| / max(1, 2)
        (np.array([1.0, np.nan]), float("inf")),
        (np.array([1.0, 2.0], np.float32), float("inf")),
        (np.array([[1.0, 2.0]]), float("inf")),
        (np.array([1.0, np.inf]), float("inf")),
    ],
)
def test_the_largest_difference_is_relative_and_infinite_where_it_cannot_be_said(second, largest):
    (entry,) = array_differences({"a": np.array([1.0, 2.0])}, {"a": second})
    assert entry.largest == largest


def test_arrays_of_one_side_only_are_named():
    one = {"a": np.zeros(1)}
    assert [entry.what for entry in array_differences(one, {})] == ["only in the first"]
    assert [entry.what for entry in array_differences({}, one)] == ["only in the second"]
