"""The scaling inside the compiled step is that of the fitted statistics."""

import numpy as np
import pytest


@pytest.mark.parametrize("kind", ["unit", "standardize", "none"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_inputs_are_scaled_by_the_training_splits_statistics(runtime, dataset, random, kind, dtype):
    import tensorflow as tf

    from bmtrain.data.examples.normalization import fit_preprocessing
    from bmtrain.models.preprocessing import apply_preprocessing

    features = random.integers(3, 250, (40, 5)).astype(dtype)
    data = dataset(features, np.zeros((40, 1), np.float32))
    scaled = apply_preprocessing(fit_preprocessing(data, kind), tf.constant(features)).numpy()

    x = features.astype(np.float64)
    low, high = x.min(axis=0), x.max(axis=0)
    expected = {
        "unit": x / 255 if dtype is np.uint8 else (x - low) / (high - low),
        "standardize": (x - x.mean(axis=0)) / x.std(axis=0),
        "none": x,
    }[kind]
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-5)
