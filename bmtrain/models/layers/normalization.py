"""Normalisations over the batch or the example."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.sections.layers import normalization as sections
from bmtrain.models.initial_weights import Place, initializer


def batch_normalization(
    config: sections.BatchNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.BatchNormalization(
        momentum=config.momentum,
        epsilon=config.epsilon,
        **_center_and_scale(config, seed, position),
    )


def layer_normalization(
    config: sections.LayerNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.LayerNormalization(
        epsilon=config.epsilon, **_center_and_scale(config, seed, position)
    )


def group_normalization(
    config: sections.GroupNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """Groups of the last axis."""
    return keras.layers.GroupNormalization(
        groups=config.groups, epsilon=config.epsilon, **_center_and_scale(config, seed, position)
    )


def rms_normalization(
    config: sections.RmsNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.RMSNormalization(epsilon=config.epsilon)


def _center_and_scale(config: Any, seed: int, position: Place) -> dict[str, Any]:
    """Keras's arguments of beta and gamma."""
    return {
        "center": config.center,
        "scale": config.scale,
        "beta_initializer": initializer(config.beta_initializer, seed, "beta", position),
        "gamma_initializer": initializer(config.gamma_initializer, seed, "gamma", position),
    }
