"""The TensorFlow twin of ``bmtrain.data.examples.preprocessing``: the one way inputs are scaled."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.models.layers.building import building


def apply_preprocessing(preprocessing: Preprocessing, features: tf.Tensor) -> tf.Tensor:
    """(float32(x) − offset) · scale; features (batch, *input_shape) of any numeric dtype.

    The numbers of tokens stay what they are, as int32.
    """
    if preprocessing.facts.vocabulary_size is not None:
        return tf.cast(features, tf.int32)
    scaled = tf.cast(features, tf.float32)
    # x − 0 and x · 1 are x: leaving them out changes no bit.
    if np.any(preprocessing.offset != 0):
        scaled = scaled - tf.constant(preprocessing.offset)
    if np.any(preprocessing.scale != 1):
        scaled = scaled * tf.constant(preprocessing.scale)
    return scaled


def with_raw_inputs(preprocessing: Preprocessing, model: keras.Sequential) -> keras.Sequential:
    """The model's own layers behind the same scaling, as layers: what an export holds.

    Inputs (batch, *input_shape) of the training data's dtype, called ``inputs``.
    """
    facts = preprocessing.facts
    # Two layers: x · scale − offset · scale would cancel where x − offset is exact.
    scaling: list[keras.layers.Layer] = []
    is_scaled = facts.vocabulary_size is None
    if np.any(preprocessing.offset != 0):
        scaling.append(keras.layers.Rescaling(1.0, (-preprocessing.offset).tolist()))
    if np.any(preprocessing.scale != 1) or (is_scaled and not scaling):  # at least one: it casts
        scaling.append(keras.layers.Rescaling(preprocessing.scale.tolist()))
    raw = keras.Input(facts.input_shape, dtype=facts.input_dtype, name="inputs")
    with building(len(model.layers)):
        return keras.Sequential([raw, *scaling, *model.layers])
