"""Convolutions."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers.convolution import Conv1dLayer, Conv2dLayer
from bmtrain.models.initial_weights import initializer


def conv1d(config: Conv1dLayer, seed: int, position: int) -> keras.layers.Layer:
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
    )


def conv2d(config: Conv2dLayer, seed: int, position: int) -> keras.layers.Layer:
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
    )
