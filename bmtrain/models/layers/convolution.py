"""Convolutions."""

from __future__ import annotations

from typing import Final

import keras

from bmtrain.config.sections.layers.convolution import (
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv1dLayer,
    DepthwiseConv2dLayer,
    SeparableConv1dLayer,
    SeparableConv2dLayer,
)
from bmtrain.models.initial_weights import Place, initializer
from bmtrain.models.layers.kernels import kernel_terms

#: Keras's class, and along how many axes its windows reach.
_DEPTHWISE: Final[dict[str, tuple[type[keras.layers.Layer], int]]] = {
    "depthwise_conv1d": (keras.layers.DepthwiseConv1D, 1),
    "depthwise_conv2d": (keras.layers.DepthwiseConv2D, 2),
}
_SEPARABLE: Final[dict[str, tuple[type[keras.layers.Layer], int]]] = {
    "separable_conv1d": (keras.layers.SeparableConv1D, 1),
    "separable_conv2d": (keras.layers.SeparableConv2D, 2),
}


def conv1d(config: Conv1dLayer, seed: int, position: Place) -> keras.layers.Layer:
    """Convolution over the steps."""
    return keras.layers.Conv1D(
        config.filters,
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        dilation_rate=config.dilation_rate,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "kernel", num_axes=2),
    )


def conv2d(config: Conv2dLayer, seed: int, position: Place) -> keras.layers.Layer:
    """Convolution over height and width."""
    return keras.layers.Conv2D(
        config.filters,
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        dilation_rate=config.dilation_rate,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "kernel", num_axes=3),
    )


def depthwise_conv(
    config: DepthwiseConv1dLayer | DepthwiseConv2dLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """Convolution of each feature or channel for itself."""
    kind, num_axes = _DEPTHWISE[config.type]
    return kind(
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        depth_multiplier=config.depth_multiplier,
        activation=config.activation,
        use_bias=config.use_bias,
        depthwise_initializer=initializer(config.depthwise_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "depthwise", num_axes=num_axes),
    )


def separable_conv(
    config: SeparableConv1dLayer | SeparableConv2dLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """That, then a convolution of all of them with kernels of one step or pixel."""
    kind, num_axes = _SEPARABLE[config.type]
    return kind(
        config.filters,
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        depth_multiplier=config.depth_multiplier,
        activation=config.activation,
        use_bias=config.use_bias,
        depthwise_initializer=initializer(
            config.depthwise_initializer, seed, "depthwise_kernel", position
        ),
        pointwise_initializer=initializer(
            config.pointwise_initializer, seed, "pointwise_kernel", position
        ),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "depthwise", num_axes=num_axes),
        **kernel_terms(config, "pointwise", num_axes=num_axes + 1),
    )
