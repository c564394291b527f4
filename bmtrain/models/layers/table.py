"""The closed table from layer types to Keras layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bmtrain.models.initial_weights import derived_seed
from bmtrain.models.layers import convolution, core, embedding, normalization, pooling, recurrent

#: type -> builder(config, seed, position). Positions count all layers from 0.
LAYERS: dict[str, Callable[[Any, int, int], keras.layers.Layer]] = {
    "dense": core.dense,
    "activation": lambda config, seed, position: keras.layers.Activation(config.activation),
    "dropout": lambda config, seed, position: keras.layers.Dropout(
        config.rate, seed=derived_seed(seed, "dropout", position)
    ),
    "batch_normalization": normalization.batch_normalization,
    "layer_normalization": normalization.layer_normalization,
    "flatten": lambda config, seed, position: keras.layers.Flatten(),
    "reshape": lambda config, seed, position: keras.layers.Reshape(config.target_shape),
    "embedding": embedding.embedding,
    "simple_rnn": recurrent.recurrent,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "bidirectional": recurrent.bidirectional,
    "conv1d": convolution.conv1d,
    "conv2d": convolution.conv2d,
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
