"""Pooling."""

from __future__ import annotations

from bmtrain.config.sections.layers import pooling as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, planned
from bmtrain.models.shapes.sequences import steps_and_features
from bmtrain.models.shapes.windows import both, height_width_channels, windows_over


def global_average_pooling1d(
    config: sections.GlobalAveragePooling1dLayer, given: Given
) -> PlannedLayer:
    """It passes over padding."""
    _, features = steps_and_features(config, given)
    return planned(config, given, (features,), uses_mask=True, hands_mask_on=False)


def global_max_pooling1d(config: sections.GlobalMaxPooling1dLayer, given: Given) -> PlannedLayer:
    """It knows of no mask."""
    _, features = steps_and_features(config, given)
    return planned(config, given, (features,), uses_mask=False)


def pooling1d(
    config: sections.MaxPooling1dLayer | sections.AveragePooling1dLayer, given: Given
) -> PlannedLayer:
    """DataError where the input is no sequence, or shorter than a window. It knows of no mask."""
    _, features = steps_and_features(config, given)
    strides = config.strides or config.pool_size
    places = windows_over(config, given, (config.pool_size,), (strides,), argument="pool_size")
    return planned(config, given, (*places, features), uses_mask=False)


def pooling2d(
    config: sections.MaxPooling2dLayer | sections.AveragePooling2dLayer, given: Given
) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    *_, channels = height_width_channels(config, given)
    sizes = both(config.pool_size)
    strides = both(config.strides or config.pool_size)
    places = windows_over(config, given, sizes, strides, argument="pool_size")
    return planned(config, given, (*places, channels), uses_mask=False)


def global_pooling2d(
    config: sections.GlobalAveragePooling2dLayer | sections.GlobalMaxPooling2dLayer, given: Given
) -> PlannedLayer:
    """DataError where the input is no picture."""
    *_, channels = height_width_channels(config, given)
    return planned(config, given, (channels,), uses_mask=False)
