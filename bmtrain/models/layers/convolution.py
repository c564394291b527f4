"""Convolutions."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers.convolution import (
    Conv1dLayer,
    Conv2dLayer,
    DepthwiseConv2dLayer,
    SeparableConv2dLayer,
)
from bmtrain.models.initial_weights import Place, initializer
from bmtrain.models.layers.kernels import kernel_terms


def conv1d(config: Conv1dLayer, seed: int, position: Place) -> keras.layers.Layer:
    """Convolution over the steps."""
    return keras.layers.Conv1D(
        config.filters,
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
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


def depthwise_conv2d(
    config: DepthwiseConv2dLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """Convolution of each channel for itself."""
    return keras.layers.DepthwiseConv2D(
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        depth_multiplier=config.depth_multiplier,
        activation=config.activation,
        use_bias=config.use_bias,
        depthwise_initializer=initializer(config.depthwise_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "depthwise", num_axes=2),
    )


def separable_conv2d(
    config: SeparableConv2dLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """That, then a convolution of all channels with kernels of 1 × 1."""
    return keras.layers.SeparableConv2D(
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
        **kernel_terms(config, "depthwise", num_axes=2),
        **kernel_terms(config, "pointwise", num_axes=3),
    )
