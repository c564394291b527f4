"""Normalisations over the batch or the example."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers import normalization as sections
from bmtrain.models.initial_weights import Place


def batch_normalization(
    config: sections.BatchNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.BatchNormalization(
        momentum=config.momentum,
        epsilon=config.epsilon,
        center=config.center,
        scale=config.scale,
    )


def layer_normalization(
    config: sections.LayerNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.LayerNormalization(
        epsilon=config.epsilon, center=config.center, scale=config.scale
    )


def group_normalization(
    config: sections.GroupNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """Groups of the last axis."""
    return keras.layers.GroupNormalization(
        groups=config.groups, epsilon=config.epsilon, center=config.center, scale=config.scale
    )


def rms_normalization(
    config: sections.RmsNormalizationLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """The last axis."""
    return keras.layers.RMSNormalization(epsilon=config.epsilon)
