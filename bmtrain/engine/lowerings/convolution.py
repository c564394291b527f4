"""Convolutions as one product of the kernel with all windows.

XLA's own convolution on a processor is generic: its gradients take thirty times as long.
"""

from __future__ import annotations

from itertools import product

import keras
import tensorflow as tf

from bmtrain.models.shapes.windows import windows


def convolution(
    layer: keras.layers.Conv1D | keras.layers.Conv2D,
    inputs: tf.Tensor,
    seed: int,
    position: int,
    step: tf.Tensor,
) -> tf.Tensor:
    """Shifted slices side by side, times the kernel: (batch, *windows, filters)."""
    del seed, position, step  # nothing is random
    *lengths, channels = inputs.shape[1:]
    sizes, strides, dilations = layer.kernel_size, layer.strides, layer.dilation_rate
    axes = list(zip(lengths, sizes, strides, dilations, strict=True))
    placed = [windows(n, size, by, layer.padding, d) for n, size, by, d in axes]
    around = [[one.before, one.after] for one in placed]
    padded = tf.pad(inputs, [[0, 0], *around, [0, 0]])
    shifted = []
    for place in product(*map(range, sizes)):
        slices = [
            slice(at * d, at * d + (one.count - 1) * by + 1, by)
            for at, one, (_, _, by, d) in zip(place, placed, axes, strict=True)
        ]
        shifted.append(padded[:, *slices])
    # Of two axes: XLA is twice as slow at a product of tensors that have more.
    row = len(shifted) * channels
    rows = tf.reshape(tf.concat(shifted, axis=-1), (-1, row))
    outputs = tf.matmul(rows, tf.reshape(layer.kernel, (row, layer.filters)))
    if layer.use_bias:
        outputs = outputs + layer.bias
    outputs = tf.reshape(outputs, (-1, *(one.count for one in placed), layer.filters))
    return layer.activation(outputs)
