"""What is random in training, as a pure function of (seed, layer, step)."""

from __future__ import annotations

import keras
import tensorflow as tf

from bmtrain.models.initial_weights import derived_seed


def dropout(
    layer: keras.layers.Dropout, inputs: tf.Tensor, seed: int, position: int, step: tf.Tensor
) -> tf.Tensor:
    """Inverted dropout; the mask is a pure function of (seed, position, step).

    Keras lets TensorFlow choose the random generator and gets a slow one under
    XLA; it also keeps a generator state that a resumed run would have to carry.
    """
    if layer.rate == 0:
        return inputs
    key = tf.stack([tf.constant(derived_seed(seed, "dropout", position), tf.int64), step])
    uniform = tf.random.stateless_uniform(tf.shape(inputs), key, alg="philox")
    kept = tf.cast(uniform >= layer.rate, inputs.dtype)
    return inputs * kept * (1.0 / (1.0 - layer.rate))
