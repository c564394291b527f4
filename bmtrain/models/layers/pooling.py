"""Pooling."""

from __future__ import annotations

from typing import Any, Final

import keras

from bmtrain.models.initial_weights import Place

_WINDOWED: Final[dict[str, type[keras.layers.Layer]]] = {
    "max_pooling1d": keras.layers.MaxPooling1D,
    "max_pooling2d": keras.layers.MaxPooling2D,
    "average_pooling1d": keras.layers.AveragePooling1D,
    "average_pooling2d": keras.layers.AveragePooling2D,
}


def windowed(config: Any, seed: int, position: Place) -> keras.layers.Layer:
    """Over windows of steps or pixels."""
    return _WINDOWED[config.type](config.pool_size, strides=config.strides, padding=config.padding)
