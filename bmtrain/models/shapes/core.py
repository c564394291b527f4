"""Dense products, activations and shapes."""

from __future__ import annotations

import math

from bmtrain.config.sections.layers import core as sections
from bmtrain.errors import DataError
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned


def dense(config: sections.DenseLayer, given: Given) -> PlannedLayer:
    """It acts on the last axis."""
    variables: dict[str, Shape] = {"kernel": (given.shape[-1], config.units)}
    if config.use_bias:
        variables["bias"] = (config.units,)
    return planned(config, given, (*given.shape[:-1], config.units), variables)


def flatten(config: sections.FlattenLayer, given: Given) -> PlannedLayer:
    """One vector."""
    return planned(config, given, (math.prod(given.shape),), uses_mask=False)


def reshape(config: sections.ReshapeLayer, given: Given) -> PlannedLayer:
    """DataError unless the number of values stays the same."""
    size = math.prod(given.shape)
    known = math.prod(entry for entry in config.target_shape if entry != -1)
    num_free = sum(entry == -1 for entry in config.target_shape)
    fits = known > 0 and num_free <= 1 and (size % known == 0 if num_free else size == known)
    if not fits:
        raise DataError(
            f"{given.name} (reshape) cannot make {list(config.target_shape)} of the shape it gets, "
            f"{list(given.shape)} ({size} values)",
            key=(*given.key, "target_shape"),
            hint="the product must be equal; one entry may be -1",
        )
    output = tuple(size // known if entry == -1 else entry for entry in config.target_shape)
    return planned(config, given, output, uses_mask=False)
