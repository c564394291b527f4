"""What disturbs the values in training and is the identity otherwise."""

from __future__ import annotations

from typing import Any, Final

import keras

from bmtrain.config.sections.layers.regularizing import GaussianNoiseLayer
from bmtrain.models.initial_weights import Place, derived_seed

_DROPOUTS: Final[dict[str, type[keras.layers.Layer]]] = {
    "dropout": keras.layers.Dropout,
    "spatial_dropout1d": keras.layers.SpatialDropout1D,
    "spatial_dropout2d": keras.layers.SpatialDropout2D,
    "gaussian_dropout": keras.layers.GaussianDropout,
}


def dropout(config: Any, seed: int, position: Place) -> keras.layers.Layer:
    """Those with a rate."""
    return _DROPOUTS[config.type](config.rate, seed=derived_seed(seed, "dropout", position))


def gaussian_noise(config: GaussianNoiseLayer, seed: int, position: Place) -> keras.layers.Layer:
    """Noise that is added."""
    return keras.layers.GaussianNoise(config.stddev, seed=derived_seed(seed, "noise", position))
