"""Faster computations of the same layer with the same weights, in one visible table.

Used in the compiled training step only; exports keep the plain Keras layers.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from bmtrain.models.initial_weights import derived_seed
from bmtrain.models.masking import call_layer, mask_after
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


def conv1d(
    layer: keras.layers.Conv1D, inputs: tf.Tensor, seed: int, position: int, step: tf.Tensor
) -> tf.Tensor:
    """One product of the kernel with all windows: XLA's own convolution is slow on a processor."""
    del seed, position, step  # nothing is random
    (size,), (stride,) = layer.kernel_size, layer.strides
    steps, num_features = inputs.shape[1:]
    num_windows = layer.compute_output_shape(inputs.shape)[1]
    missing = max(0, (num_windows - 1) * stride + size - steps)
    before = {"valid": 0, "same": missing // 2, "causal": size - 1}[layer.padding]
    padded = tf.pad(inputs, [[0, 0], [before, max(0, missing - before)], [0, 0]])
    reach = (num_windows - 1) * stride + 1
    windows = tf.concat([padded[:, at : at + reach : stride] for at in range(size)], axis=-1)
    kernel = tf.reshape(layer.kernel, (size * num_features, layer.filters))
    outputs = tf.matmul(windows, kernel)
    if layer.use_bias:
        outputs = outputs + layer.bias
    return layer.activation(outputs)


LOWERINGS: dict[type[keras.layers.Layer], Lowering] = {
    keras.layers.Conv1D: conv1d,
    keras.layers.Dropout: dropout,
}


def lowerings_used(model: keras.Sequential) -> tuple[str, ...]:
    """Names of the lowerings that training this model uses, for the record."""
    used = {LOWERINGS[type(layer)] for layer in model.layers if type(layer) in LOWERINGS}
    return tuple(sorted(getattr(lowering, "__name__", "lowering") for lowering in used))


def forward_in_training(problem: Problem, inputs: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """The model's outputs in training mode at ``step`` (int64, of the whole training)."""
    mask = None
    for position, layer in enumerate(problem.model.layers):
        lowering = LOWERINGS.get(type(layer))
        if lowering is None:
            outputs = call_layer(layer, inputs, mask, training=True)
        else:
            outputs = lowering(layer, inputs, problem.seed, position, step)
        inputs, mask = outputs, mask_after(layer, inputs, mask)
    return inputs
