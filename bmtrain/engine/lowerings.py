"""Faster computations of the same layer with the same weights, in one visible table.

Used in the compiled training step only; exports keep the plain Keras layers.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from bmtrain.models.layers import derived_seed
from bmtrain.models.problem import Problem

#: (layer, inputs, seed of the experiment, position, step) -> outputs
Lowering = Callable[[keras.layers.Layer, tf.Tensor, int, int, tf.Tensor], tf.Tensor]


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


LOWERINGS: dict[type[keras.layers.Layer], Lowering] = {
    keras.layers.Dropout: dropout,
}


def lowerings_used(model: keras.Sequential) -> tuple[str, ...]:
    """Names of the lowerings that training this model uses, for the record."""
    used = {LOWERINGS[type(layer)] for layer in model.layers if type(layer) in LOWERINGS}
    return tuple(sorted(getattr(lowering, "__name__", "lowering") for lowering in used))


def forward_in_training(problem: Problem, inputs: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """The model's outputs in training mode at ``step`` (int64, of the whole training)."""
    for position, layer in enumerate(problem.model.layers):
        lowering = LOWERINGS.get(type(layer))
        if lowering is None:
            inputs = layer(inputs, training=True)
        else:
            inputs = lowering(layer, inputs, problem.seed, position, step)
    return inputs
