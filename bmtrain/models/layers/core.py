"""Dense products."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers.core import DenseLayer
from bmtrain.models.initial_weights import Place, initializer
from bmtrain.models.layers.kernels import kernel_terms


def dense(config: DenseLayer, seed: int, position: Place) -> keras.layers.Layer:
    """activation(x · kernel + bias)."""
    return keras.layers.Dense(
        config.units,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
        **kernel_terms(config, "kernel", num_axes=1),
    )
