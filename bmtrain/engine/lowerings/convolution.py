"""Convolutions as products of the kernel with all windows.

XLA's own convolution on a processor is generic: its gradients take thirty times as long.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from bmtrain.engine.lowerings.shifting import shifted
from bmtrain.models.initial_weights import Place


def convolution(
    layer: keras.layers.Conv1D | keras.layers.Conv2D,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
) -> tf.Tensor:
    """Shifted slices side by side, times the kernel: (batch, *windows, filters)."""
    del seed, position, step  # nothing is random
    slices, places = _shifted(layer, inputs)
    # Of two axes: XLA is twice as slow at a product of tensors that have more.
    row = len(slices) * inputs.shape[-1]
    rows = tf.reshape(tf.concat(slices, axis=-1), (-1, row))
    kernel = tf.cast(layer.kernel.value, inputs.dtype)
    outputs = tf.matmul(rows, tf.reshape(kernel, (row, layer.filters)))
    outputs = tf.reshape(outputs, (-1, *places, layer.filters))
    return _finished(layer, outputs)


def depthwise_convolution(
    layer: keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
) -> tf.Tensor:
    """Shifted slices, each times its place of the kernel, added up."""
    del seed, position, step  # nothing is random
    return _finished(layer, _depthwise(layer, inputs, layer.kernel))


def separable_convolution(
    layer: keras.layers.SeparableConv1D | keras.layers.SeparableConv2D,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
) -> tf.Tensor:
    """That, then one product over the channels."""
    del seed, position, step  # nothing is random
    between = _depthwise(layer, inputs, layer.depthwise_kernel)
    *places, channels = between.shape[1:]
    kernel = tf.cast(layer.pointwise_kernel.value, inputs.dtype)
    pointwise = tf.reshape(kernel, (channels, layer.filters))
    outputs = tf.matmul(tf.reshape(between, (-1, channels)), pointwise)
    return _finished(layer, tf.reshape(outputs, (-1, *places, layer.filters)))


def _depthwise(layer: keras.layers.Layer, inputs: tf.Tensor, kernel: keras.Variable) -> tf.Tensor:
    """(batch, *windows, channels · depth_multiplier) of a kernel (…, channels, depth_multiplier)."""
    slices, places = _shifted(layer, inputs)
    channels, multiplier = kernel.shape[-2:]
    kernel = tf.cast(kernel.value, inputs.dtype)
    at_places = tf.unstack(tf.reshape(kernel, (len(slices), channels, multiplier)))
    products = [x[..., None] * at for x, at in zip(slices, at_places, strict=True)]
    return tf.reshape(tf.add_n(products), (-1, *places, channels * multiplier))


def _shifted(layer: keras.layers.Layer, inputs: tf.Tensor) -> tuple[list[tf.Tensor], list[int]]:
    axes = list(zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True))
    return shifted(inputs, axes, layer.padding)


def _finished(layer: keras.layers.Layer, outputs: tf.Tensor) -> tf.Tensor:
    if layer.use_bias:
        outputs += tf.cast(layer.bias.value, outputs.dtype)
    return layer.activation(outputs)
