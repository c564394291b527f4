"""Normalisations over the batch or the example."""

from __future__ import annotations

from bmtrain.config.sections.layers import normalization as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned


def batch_normalization(config: sections.BatchNormalizationLayer, given: Given) -> PlannedLayer:
    """The moving statistics are no parameters."""
    moving: dict[str, Shape] = dict.fromkeys(("moving_mean", "moving_variance"), given.shape[-1:])
    variables = _scale_and_center(config, given) | moving
    return planned(config, given, variables=variables, non_trainable=frozenset(moving))


def layer_normalization(config: sections.LayerNormalizationLayer, given: Given) -> PlannedLayer:
    """Over the last axis."""
    return planned(config, given, variables=_scale_and_center(config, given))


def _scale_and_center(
    config: sections.LayerNormalizationLayer | sections.BatchNormalizationLayer, given: Given
) -> dict[str, Shape]:
    named = {"gamma": config.scale, "beta": config.center}
    return {name: given.shape[-1:] for name, wanted in named.items() if wanted}
