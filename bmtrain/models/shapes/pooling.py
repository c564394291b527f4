"""Pooling."""

from __future__ import annotations

from bmtrain.config.sections.layers import pooling as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, planned
from bmtrain.models.shapes.sequences import steps_and_features


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
