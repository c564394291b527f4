"""The training state as JSON, and back with every value checked."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from bmtrain import strict_json
from bmtrain.training_state import Plateau, TrainingState

_LARGEST = 2**62
#: One per metric, and three.
_MAX_ACCUMULATORS = 100
_MAX_FLOAT = sys.float_info.max


def state_document(state: TrainingState, log_bytes: int) -> dict[str, Any]:
    """The state and the length of the log at it, as plain JSON.

    Floats survive exactly: Python writes the shortest text that does.
    """
    names = [field.name for field in dataclasses.fields(state)]
    document = {name: getattr(state, name) for name in names}
    document |= {"accumulators": dict(state.accumulators), "log_bytes": log_bytes}
    return document | {"plateau": dataclasses.asdict(state.plateau)}


def parse_state(document: Any) -> tuple[TrainingState, int]:
    """The state and the length of the log at it.

    Raises ``ValueError`` naming the entry that is missing, unknown or out of range.
    """
    names = {field.name for field in dataclasses.fields(TrainingState)} | {"log_bytes"}
    if isinstance(document, dict):  # earlier versions had none
        document = {"plateau": dataclasses.asdict(Plateau())} | document
    if not isinstance(document, dict) or document.keys() != names:
        raise ValueError(f"state: expected the keys {', '.join(sorted(names))}")
    accumulators, stopped_early = document["accumulators"], document["stopped_early"]
    is_short = isinstance(accumulators, dict) and len(accumulators) <= _MAX_ACCUMULATORS
    strict_json.require(is_short, "state.accumulators: expected a mapping, of few names")
    strict_json.require(isinstance(stopped_early, bool), "state.stopped_early: expected a bool")
    state = TrainingState(
        epoch=_count(document, "epoch"),
        step_in_epoch=_count(document, "step_in_epoch"),
        step=_count(document, "step"),
        accumulators={name: _number(accumulators, name) for name in accumulators},
        best_value=None if document["best_value"] is None else _number(document, "best_value"),
        best_epoch=None if document["best_epoch"] is None else _count(document, "best_epoch"),
        best_step=None if document["best_step"] is None else _count(document, "best_step"),
        epochs_without_improvement=_count(document, "epochs_without_improvement"),
        stopped_early=stopped_early,
        plateau=_plateau(document["plateau"]),
    )
    return state, _count(document, "log_bytes")


def _plateau(document: Any) -> Plateau:
    names = {field.name for field in dataclasses.fields(Plateau)}
    is_whole = isinstance(document, dict) and document.keys() == names
    strict_json.require(is_whole, f"state.plateau: expected the keys {', '.join(sorted(names))}")
    return Plateau(
        best=None if document["best"] is None else _number(document, "best"),
        waited=_count(document, "waited"),
        cooldown=_count(document, "cooldown"),
        reductions=_count(document, "reductions"),
    )


def _count(document: dict[str, Any], name: str) -> int:
    value = document[name]
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise ValueError(f"state.{name}: expected a whole number >= 0")
    return value


def _number(document: dict[str, Any], name: str) -> float:
    value = document[name]
    if type(value) not in (int, float) or not -_MAX_FLOAT <= value <= _MAX_FLOAT:
        raise ValueError(f"state: {name!a:.60}: expected a finite number")
    return float(value)
