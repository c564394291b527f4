"""What disturbs the values in training and is the identity otherwise."""

from __future__ import annotations

from bmtrain.config.sections.layers import regularizing as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, planned
from bmtrain.models.shapes.sequences import steps_and_features
from bmtrain.models.shapes.windows import height_width_channels


def spatial_dropout1d(config: sections.SpatialDropout1dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no sequence."""
    steps_and_features(config, given)
    return planned(config, given)


def spatial_dropout2d(config: sections.SpatialDropout2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture."""
    height_width_channels(config, given)
    return planned(config, given)
