import numpy as np
import pytest

from bmtrain.data.examples.features import as_features, match_dtype, match_integers, require_finite
from bmtrain.data.raw.source import Place
from bmtrain.data.raw.streamed_rows import held
from bmtrain.errors import DataError

PLACE = Place("d.npz: x_train")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("u1", "uint8"),
        ("?", "uint8"),
        ("i1", "float32"),
        ("u2", "float32"),
        ("i8", "float32"),
        ("f2", "float32"),
        ("f4", "float32"),
        ("f8", "float32"),
    ],
)
def test_uint8_stays_bool_becomes_uint8_and_all_else_float32(dtype, expected):
    values = np.array([[0, 1], [1, 0]], dtype)
    features = as_features(values, PLACE)
    assert features.dtype == expected
    np.testing.assert_array_equal(features, values.astype(expected))


def test_one_number_per_example_is_one_feature():
    assert as_features(np.arange(3.0), PLACE).shape == (3, 1)


def test_the_result_is_contiguous():
    assert as_features(np.asfortranarray(np.ones((3, 4))), PLACE).flags.c_contiguous
    assert as_features(np.ones((3, 4), np.uint8).T, PLACE).flags.c_contiguous


def test_integers_up_to_two_to_the_24_are_exact_and_beyond_refused():
    values = np.array([[2**24, -(2**24)]])
    assert as_features(values, PLACE).tolist() == [[16777216.0, -16777216.0]]
    with pytest.raises(
        DataError, match=r"x_train\[1\]: the int64 value 16777217 is beyond 2\*\*24"
    ):
        as_features(np.array([[1], [2**24 + 1]]), PLACE)
    with pytest.raises(DataError, match="uint64 value 18446744073709551615"):
        as_features(np.array([[2**64 - 1]], np.uint64), PLACE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_with_its_place(bad):
    values = np.zeros((5, 2, 3), np.float32)
    values[3, 1, 2] = bad
    with pytest.raises(
        DataError, match=r"finite numbers, got -?(nan|inf) at position \(1, 2\)"
    ) as e:
        as_features(values, PLACE)
    assert e.value.where == "d.npz: x_train[3]"


def test_what_is_not_finite_is_found_in_later_blocks(monkeypatch):
    monkeypatch.setattr("bmtrain.data.examples.features._BLOCK_VALUES", 4)
    values = np.zeros((9, 2), np.float32)
    require_finite(values, PLACE)
    values[7, 0] = np.nan
    with pytest.raises(DataError, match=r"x_train\[7\]"):
        require_finite(values, PLACE)


def test_a_float64_beyond_float32_is_refused():
    with pytest.raises(DataError, match=r"x_train\[1\]: a value is too large for float32"):
        as_features(np.array([[1.0], [1e39]]), PLACE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([["a"]]), "expected numbers, got dtype <U1"),
        (np.array(3.0), "got a single number"),
        (np.empty((0, 4)), "got no examples"),
        (np.empty((4, 0)), r"got examples of shape \(0,\)"),
        (np.empty(0), "got no examples"),
    ],
)
def test_what_holds_no_values_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        as_features(values, PLACE)


def test_uint8_widens_and_float32_does_not_narrow():
    pixels = np.array([[0, 255]], np.uint8)
    assert match_dtype(pixels, "uint8", PLACE) is pixels
    assert held(match_dtype(pixels, "float32", PLACE)).tolist() == [[0.0, 255.0]]
    with pytest.raises(DataError, match="expected uint8 values as in the training examples"):
        match_dtype(np.ones((1, 2), np.float32), "uint8", PLACE)


def test_integers_narrow_to_uint8_where_they_fit():
    fitting = np.array([[0, 255]])
    assert match_integers(fitting, "uint8").dtype == np.uint8
    for other in (np.array([[0, 256]]), np.array([[-1, 0]]), np.array([[0.0, 1.0]]), np.empty(0)):
        assert match_integers(other, "uint8") is other
    assert match_integers(fitting, "float32") is fitting
