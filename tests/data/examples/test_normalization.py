import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bmtrain.data.examples import normalization
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.raw.source import SplitName


def dataset(train, *, test=None, feature_names=None):
    def split(features):
        return Split(features, np.zeros(len(features), np.int32))

    facts = DataFacts(
        task="classification",
        input_shape=train.shape[1:],
        input_dtype=train.dtype.name,
        class_names=("a", "b"),
        num_outputs=2,
        feature_names=feature_names,
        label_name=None,
        num_train_examples=len(train),
        fingerprint="",
    )
    splits: dict[SplitName, Split] = {"train": split(train)}
    if test is not None:
        splits["test"] = split(test)
    return Dataset(splits, facts)


def apply(fitted, features):
    return (features.astype(np.float32) - fitted.offset) * fitted.scale


PIXELS = np.array([[[0, 51], [102, 255]]], np.uint8)
TABLE = np.array([[1, 10], [3, 10], [5, 10]], np.float32)


def test_auto_is_unit_for_uint8_standardize_for_tables_none_else():
    assert fit_preprocessing(dataset(PIXELS), "auto").normalize == "unit"
    table = dataset(TABLE, feature_names=("a", "b"))
    assert fit_preprocessing(table, "auto").normalize == "standardize"
    assert fit_preprocessing(dataset(TABLE), "auto").normalize == "none"


def test_none_is_the_identity():
    fitted = fit_preprocessing(dataset(TABLE), "none")
    assert (float(fitted.offset), float(fitted.scale)) == (0, 1)
    assert fitted.offset.shape == fitted.scale.shape == ()


def test_unit_of_uint8_is_a_255th_whatever_the_values():
    fitted = fit_preprocessing(dataset(PIXELS // 2), "unit")
    assert fitted.offset == 0
    assert fitted.scale == np.float32(1 / 255)
    np.testing.assert_allclose(apply(fitted, PIXELS), [[[0, 0.2], [0.4, 1]]], rtol=1e-6)


def test_unit_is_per_feature_for_vectors_and_leaves_constants_at_zero():
    fitted = fit_preprocessing(dataset(TABLE), "unit")
    assert apply(fitted, TABLE).tolist() == [[0, 0], [0.5, 0], [1, 0]]


def test_unit_is_global_for_pictures():
    pictures = np.array([[[0, 1], [2, 3]], [[4, 5], [6, 8]]], np.float32)
    fitted = fit_preprocessing(dataset(pictures), "unit")
    assert fitted.offset.shape == fitted.scale.shape == ()
    np.testing.assert_allclose(apply(fitted, pictures), pictures / 8)


def test_standardize_by_hand():
    # Mean 3, variance (4 + 0 + 4)/3.
    fitted = fit_preprocessing(dataset(TABLE), "standardize")
    assert fitted.offset.tolist() == [3, 10]
    np.testing.assert_allclose(fitted.scale, [np.sqrt(3 / 8), 1], rtol=1e-7)
    assert fitted.offset.dtype == fitted.scale.dtype == np.float32


def test_standardize_of_pictures_and_of_uint8_is_numpys_mean_and_deviation(numbers):
    pictures = numbers.integers(0, 256, (50, 4, 5)).astype(np.uint8)
    fitted = fit_preprocessing(dataset(pictures), "standardize")
    np.testing.assert_allclose(fitted.offset, pictures.mean(), rtol=1e-6)
    np.testing.assert_allclose(fitted.scale, 1 / pictures.std(), rtol=1e-6)


def test_uint8_vectors_standardize_per_feature(numbers):
    vectors = numbers.integers(0, 256, (50, 3)).astype(np.uint8)
    fitted = fit_preprocessing(dataset(vectors), "standardize")
    np.testing.assert_allclose(fitted.scale, 1 / vectors.std(axis=0), rtol=1e-6)


def test_only_the_training_split_counts():
    alone = fit_preprocessing(dataset(TABLE), "standardize")
    with_test = fit_preprocessing(dataset(TABLE, test=TABLE * 1000), "standardize")
    np.testing.assert_array_equal(alone.offset, with_test.offset)
    np.testing.assert_array_equal(alone.scale, with_test.scale)


@pytest.mark.parametrize("constant", [0.1, 1e-30, -7.7e20])
def test_a_constant_is_never_blown_up_by_rounding(constant):
    values = np.full((1001, 2), constant, np.float32)
    values[:, 1] = np.arange(1001)
    for kind in ("unit", "standardize"):
        fitted = fit_preprocessing(dataset(values), kind)
        assert fitted.scale[0] == 1
        assert fitted.offset[0] == np.float32(constant)


def test_a_spread_too_small_for_float32_is_not_scaled():
    values = np.array([[0.0], [1e-40]], np.float32)
    assert fit_preprocessing(dataset(values), "unit").scale == 1


def test_blocks_do_not_change_the_statistics(numbers, monkeypatch):
    values = numbers.normal(1e4, 1.0, (1000, 3)).astype(np.float32)
    monkeypatch.setattr(normalization, "_BLOCK_VALUES", 21)
    fitted = fit_preprocessing(dataset(values), "standardize")
    wide = values.astype(np.float64)
    np.testing.assert_allclose(fitted.offset, wide.mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(fitted.scale, 1 / wide.std(axis=0), rtol=1e-6)


@given(
    values=npst.arrays(
        np.float32,
        st.tuples(st.integers(1, 20), st.integers(1, 3)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    kind=st.sampled_from(["unit", "standardize"]),
)
@settings(max_examples=100, deadline=None)
def test_the_result_is_finite_and_unit_is_between_0_and_1(values, kind):
    scaled = apply(fit_preprocessing(dataset(values), kind), values)
    assert np.isfinite(scaled).all()
    if kind == "unit":
        assert scaled.min() >= 0
        assert scaled.max() <= 1 + 1e-6
