"""Layers that go through a sequence step by step."""

from __future__ import annotations

from typing import Final

from bmtrain.config.sections.layers import recurrent as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned
from bmtrain.models.shapes.sequences import steps_and_features

#: Products of the input and of the state that a step computes.
_GATES: Final = {"simple_rnn": 1, "gru": 3, "lstm": 4}
#: What a bidirectional layer calls its two layers' variables: ``forward.kernel``.
DIRECTIONS: Final = ("forward", "backward")


def recurrent(config: sections.RecurrentSection, given: Given) -> PlannedLayer:
    """It passes over padding."""
    steps, num_features = steps_and_features(config, given)  # type: ignore[arg-type]  # one of them
    return planned(
        config,  # type: ignore[arg-type]  # one of them
        given,
        (steps, config.units) if config.return_sequences else (config.units,),
        _variables(config, num_features),
        uses_mask=True,
        hands_mask_on=config.return_sequences,
        kept_values=steps * _values_per_step(config),
    )


def bidirectional(config: sections.BidirectionalLayer, given: Given) -> PlannedLayer:
    """Twice the inner layer's."""
    steps, num_features = steps_and_features(config, given)
    inner = config.layer
    units = inner.units * (2 if config.merge_mode == "concat" else 1)
    variables = {
        f"{direction}.{name}": shape
        for direction in DIRECTIONS
        for name, shape in _variables(inner, num_features).items()
    }
    return planned(
        config,
        given,
        (steps, units) if inner.return_sequences else (units,),
        variables,
        uses_mask=True,
        hands_mask_on=inner.return_sequences,
        kept_values=2 * steps * _values_per_step(inner),
    )


def _variables(config: sections.RecurrentSection, num_features: int) -> dict[str, Shape]:
    width = _GATES[config.type] * config.units
    variables: dict[str, Shape] = {
        "kernel": (num_features, width),
        "recurrent_kernel": (config.units, width),
    }
    if config.use_bias:
        # Keras's GRU has one bias for the input's product and one for the state's.
        variables["bias"] = (2, width) if config.type == "gru" else (width,)
    return variables


def _values_per_step(config: sections.RecurrentSection) -> int:
    """What it keeps of each step for the gradient, whatever it gives."""
    return (_GATES[config.type] + 1) * config.units
