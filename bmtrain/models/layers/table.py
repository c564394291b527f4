"""The closed table from layer types to Keras layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bmtrain.models.initial_weights import Place
from bmtrain.models.layers import (
    attention,
    convolution,
    core,
    embedding,
    normalization,
    pooling,
    recurrent,
    regularizing,
)
from bmtrain.models.shapes.planned import PlannedLayer

#: type -> builder(config, seed, place). Places count all layers from 0.
LAYERS: dict[str, Callable[[Any, int, Place], keras.layers.Layer]] = {
    "dense": core.dense,
    "activation": lambda config, seed, position: keras.layers.Activation(config.activation),
    "dropout": regularizing.dropout,
    "spatial_dropout1d": regularizing.dropout,
    "spatial_dropout2d": regularizing.dropout,
    "gaussian_dropout": regularizing.dropout,
    "gaussian_noise": regularizing.gaussian_noise,
    "batch_normalization": normalization.batch_normalization,
    "layer_normalization": normalization.layer_normalization,
    "group_normalization": normalization.group_normalization,
    "rms_normalization": normalization.rms_normalization,
    "unit_normalization": lambda config, seed, position: keras.layers.UnitNormalization(),
    "flatten": lambda config, seed, position: keras.layers.Flatten(),
    "reshape": lambda config, seed, position: keras.layers.Reshape(config.target_shape),
    "embedding": embedding.embedding,
    "simple_rnn": recurrent.recurrent,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "bidirectional": recurrent.bidirectional,
    "conv1d": convolution.conv1d,
    "conv2d": convolution.conv2d,
    "depthwise_conv1d": convolution.depthwise_conv,
    "depthwise_conv2d": convolution.depthwise_conv,
    "separable_conv1d": convolution.separable_conv,
    "separable_conv2d": convolution.separable_conv,
    "zero_padding2d": lambda config, seed, position: keras.layers.ZeroPadding2D(config.padding),
    "up_sampling2d": lambda config, seed, position: keras.layers.UpSampling2D(config.size),
    "max_pooling1d": pooling.windowed,
    "max_pooling2d": pooling.windowed,
    "average_pooling1d": pooling.windowed,
    "average_pooling2d": pooling.windowed,
    "global_average_pooling1d": lambda config, seed, position: (
        keras.layers.GlobalAveragePooling1D()
    ),
    "global_max_pooling1d": lambda config, seed, position: keras.layers.GlobalMaxPooling1D(),
    "global_average_pooling2d": lambda config, seed, position: (
        keras.layers.GlobalAveragePooling2D()
    ),
    "global_max_pooling2d": lambda config, seed, position: keras.layers.GlobalMaxPooling2D(),
}

#: Those that need to know the shape, and are functional models.
MODELS: dict[str, Callable[[PlannedLayer, int, Place], keras.Model]] = {
    "multi_head_attention": attention.multi_head_attention,
    "positional_embedding": attention.positional_embedding,
}
