"""Normalisations over the batch or the example."""

from __future__ import annotations

from bmtrain.config.sections.layers import normalization as sections
from bmtrain.errors import DataError
from bmtrain.figures import count
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned


def batch_normalization(config: sections.BatchNormalizationLayer, given: Given) -> PlannedLayer:
    """The moving statistics are no parameters."""
    moving: dict[str, Shape] = dict.fromkeys(("moving_mean", "moving_variance"), given.shape[-1:])
    variables = _scale_and_center(config, given) | moving
    return planned(config, given, variables=variables, non_trainable=frozenset(moving))


def layer_normalization(config: sections.LayerNormalizationLayer, given: Given) -> PlannedLayer:
    """Over the last axis."""
    return planned(config, given, variables=_scale_and_center(config, given))


def group_normalization(config: sections.GroupNormalizationLayer, given: Given) -> PlannedLayer:
    """DataError where the groups do not divide the channels. It takes padding for values."""
    channels = given.shape[-1]
    groups = channels if config.groups == -1 else config.groups
    if groups == 0 or channels % groups:
        raise DataError(
            f"{given.name} (group_normalization) cannot make {count(groups, 'equal group')} of "
            f"the {count(channels, 'channel')} that it gets",
            key=(*given.key, "groups"),
            hint=f"a divisor of {channels}, or -1: each channel is a group",
        )
    variables = _scale_and_center(config, given)
    return planned(config, given, variables=variables, uses_mask=False, hands_mask_on=True)


def rms_normalization(config: sections.RmsNormalizationLayer, given: Given) -> PlannedLayer:
    """Over the last axis; Keras's hands no mask on."""
    variables = {"scale": given.shape[-1:]}
    return planned(config, given, variables=variables, uses_mask=False)


def _scale_and_center(
    config: sections.LayerNormalizationLayer
    | sections.BatchNormalizationLayer
    | sections.GroupNormalizationLayer,
    given: Given,
) -> dict[str, Shape]:
    named = {"gamma": config.scale, "beta": config.center}
    return {name: given.shape[-1:] for name, wanted in named.items() if wanted}
