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
            hint=None
            if given.is_first
            else "a recurrent layer before it keeps the steps with return_sequences: true",
        )
    steps, features = given.shape
    return steps, features
