"""Pooling as another shape, or as shifted slices, and a reduction."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bmtrain.engine.lowerings.shifting import shifted
from bmtrain.models.initial_weights import Place


def windows_tile(layer: Any, inputs: tf.Tensor) -> bool:
    """Whether the windows lie side by side and nothing pads them."""
    lengths = inputs.shape[1:-1]
    fits = layer.padding == "valid" or all(
        length % size == 0 for length, size in zip(lengths, layer.pool_size, strict=True)
    )
    return tuple(layer.strides) == tuple(layer.pool_size) and fits


def max_pooling(
    layer: Any, inputs: tf.Tensor, seed: int, position: Place, step: tf.Tensor
) -> tf.Tensor:
    """The largest value of each window; equal ones share its gradient."""
    del seed, position, step  # nothing is random
    tiles, axes = _tiles(layer, inputs)
    return tf.reduce_max(tiles, axes)


def overlapping_max_pooling(
    layer: Any, inputs: tf.Tensor, seed: int, position: Place, step: tf.Tensor
) -> tf.Tensor:
    """The same, wherever the windows are."""
    del seed, position, step  # nothing is random
    axes = [(size, by, 1) for size, by in zip(layer.pool_size, layer.strides, strict=True)]
    slices, _ = shifted(inputs, axes, layer.padding, outside=inputs.dtype.min)
    return tf.reduce_max(tf.stack(slices), axis=0)


def average_pooling(
    layer: Any, inputs: tf.Tensor, seed: int, position: Place, step: tf.Tensor
) -> tf.Tensor:
    """The mean of each window."""
    del seed, position, step  # nothing is random
    tiles, axes = _tiles(layer, inputs)
    return tf.reduce_mean(tiles, axes)


def _tiles(layer: Any, inputs: tf.Tensor) -> tuple[tf.Tensor, list[int]]:
    """(batch, windows, size, …, channels), and which of its axes are within a window."""
    *lengths, channels = inputs.shape[1:]
    counts = [n // size for n, size in zip(lengths, layer.pool_size, strict=True)]
    pairs = list(zip(counts, layer.pool_size, strict=True))
    covered = inputs[:, *(slice(0, count * size) for count, size in pairs)]
    shape = [extent for pair in pairs for extent in pair]
    return tf.reshape(covered, (-1, *shape, channels)), [2 + 2 * axis for axis in range(len(pairs))]
