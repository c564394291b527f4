"""The model of a first training, and the pace at which it is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bmtrain.data.profiles.text_choice import TextChoice
from bmtrain.figures import count
from bmtrain.workflows.starter.looking import Seen


@dataclass(frozen=True, slots=True)
class Pace:
    """What fits so many training examples: the first row of ``_PACES`` that they are under."""

    under: float
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    patience: int
    learning_rate: float


#: Small sets need many passes and larger steps, and overfit early; large ones learn much in each.
_PACES: Final = (
    Pace(500, (16,), 16, 100, 15, 0.01),
    Pace(5_000, (32,), 32, 60, 10, 0.003),
    Pace(50_000, (64, 32), 64, 40, 5, 0.001),
    Pace(math.inf, (128, 64), 128, 30, 5, 0.001),
)


def pace_of(num_train: int) -> Pace:
    """The pace for so many training examples."""
    return next(pace for pace in _PACES if num_train < pace.under)


def first_model(seen: Seen, num_train: int) -> tuple[str, Any, str]:
    """``model`` or ``model.layers``, its value and the reason, for ``num_train`` examples."""
    hidden = pace_of(num_train).hidden
    if seen.text is not None:
        layers, what = _of_texts(seen.text, hidden[0])
        return "model.layers", [*layers, _output_layer(seen)], f"{what}; {_output(seen)}"
    inputs = int(np.prod(seen.train.features.shape[1:]))
    kind = "a small network" if len(hidden) == 1 and hidden[0] < 64 else "a network"
    examples = count(num_train, "training example")
    reason = f"{kind} for {examples} of {count(inputs, 'value')} each; {_output(seen)}"
    return "model", {"type": "mlp", "hidden": list(hidden)}, reason


def _of_texts(text: TextChoice, width: int) -> tuple[list[dict[str, Any]], str]:
    """The layers before the output: what tells words apart is which, in sequences where."""
    if text.tokens.level == "word":
        layers: list[dict[str, Any]] = [
            {"type": "embedding", "output_dim": 32, "mask_zero": True},
            {"type": "global_average_pooling1d"},
            {"type": "dropout", "rate": 0.3},
        ]
        return layers, "the mean of the words' vectors, whatever their order"
    if text.have_one_length:
        layers = [
            {"type": "embedding", "output_dim": 8},
            {
                "type": "conv1d",
                "filters": 32,
                "kernel_size": 7,
                "padding": "same",
                "activation": "relu",
            },
            {"type": "dropout", "rate": 0.3},
            {"type": "flatten"},
            {"type": "dense", "units": width, "activation": "relu"},
            {"type": "dropout", "rate": 0.5},
        ]
        return layers, "patterns of 7 characters, each at its place: all texts have one length"
    layers = [
        {"type": "embedding", "output_dim": 8, "mask_zero": True},
        {"type": "bidirectional", "layer": {"type": "gru", "units": max(32, width)}},
        {"type": "dropout", "rate": 0.3},
    ]
    return layers, "the characters one after the other, from both ends"


def _output_layer(seen: Seen) -> dict[str, Any]:
    if seen.class_names is not None:
        return {"type": "dense", "units": len(seen.class_names), "activation": "softmax"}
    return {"type": "dense", "units": seen.train.labels.shape[1]}


def _output(seen: Seen) -> str:
    if seen.class_names is not None:
        return f"its output has a probability for each of the {len(seen.class_names):,} classes"
    return f"its output has {count(seen.train.labels.shape[1], 'number')}"
