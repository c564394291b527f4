"""What layers of a sequence (steps, features) ask of their input."""

from __future__ import annotations

from bmtrain.config.sections.layers.union import Layer
from bmtrain.errors import DataError
from bmtrain.models.shapes.planned import Given


def steps_and_features(config: Layer, given: Given) -> tuple[int, int]:
    """DataError where the input is none."""
    if len(given.shape) != 2:
        raise DataError(
            f"{given.name} ({config.type}) takes a sequence, [steps, features], and gets the "
            f"shape {list(given.shape)}",
            key=given.key,
            hint=_remedy(given),
        )
    steps, features = given.shape
    return steps, features


def _remedy(given: Given) -> str:
    if len(given.shape) > 2:
        return (
            "such a layer is for sequences: there may be one for pictures, whose name ends in 2d; "
            "or {type: reshape, target_shape: [steps, features]} before it"
        )
    if given.is_first:
        return "such a layer is for sequences; numbers of a table have no order"
    return (
        "put it before the layer that makes a vector of the sequence: flatten, a global pooling, or "
        "a recurrent layer, which keeps the steps with return_sequences: true"
    )
