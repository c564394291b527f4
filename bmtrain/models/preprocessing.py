"""The TensorFlow twin of ``bmtrain.data.preprocessing``: the one way inputs are scaled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from bmtrain.data.preprocessing import Preprocessing


def apply_preprocessing(preprocessing: Preprocessing, features: tf.Tensor) -> tf.Tensor:
    """(float32(x) − offset) · scale; features (batch, *input_shape) of any numeric dtype."""
    scaled = tf.cast(features, tf.float32)
    # x − 0 and x · 1 are x: leaving them out changes no bit.
    if np.any(preprocessing.offset != 0):
        scaled = scaled - tf.constant(preprocessing.offset)
    if np.any(preprocessing.scale != 1):
        scaled = scaled * tf.constant(preprocessing.scale)
    return scaled
