"""Going on with an interrupted run: from where, and when it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.resolved import plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.preprocessing import Preprocessing
from bmtrain.errors import CheckpointError
from bmtrain.models.architecture import Shape
from bmtrain.runs.directory import RunDirectory
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.training.recording import judged

#: What may differ from the interrupted run without changing a bit of what it would have done.
FREE_KEYS = frozenset({"expect", "training.epochs", "training.steps_per_call", "training.device"})


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a run goes on.

    Attributes:
        checkpoint: the newest whole one; None where the run ended before its first.
        passed_over: what is wrong with the damaged ones that are newer, one line each.
        summary: of a run that is complete already; there is nothing to go on with.
        earlier: what run.json says of the starts before this one.
    """

    checkpoint: Checkpoint | None
    passed_over: tuple[str, ...]
    summary: dict[str, Any] | None
    earlier: tuple[Any, ...]


def find_resumption(directory: RunDirectory, prepared: Prepared) -> Resumption:
    """Look at what the interrupted run left; changes nothing.

    Raises:
        CheckpointError: all checkpoints are damaged or one is of a newer format, or the
            config or the data is another.
    """
    search = CheckpointStore(directory.checkpoints).find("last")
    passed_over = tuple(f"passed over {s.path}: {s.reason}" for s in search.skipped)
    if search.path is None and search.skipped:
        find_checkpoint(directory.path, "last")  # says what is wrong with each
    checkpoint = None
    if search.path is not None:
        checkpoint = read_checkpoint(search.path, partial(_expected_shapes, prepared))
        _refuse_fewer_epochs(checkpoint, prepared.experiment)
    started = _read_json(directory.run_json)
    earlier = (*started.pop("earlier", ()), started) if started else ()
    return Resumption(checkpoint, passed_over, _completed(directory, checkpoint, prepared), earlier)


def _completed(
    directory: RunDirectory, checkpoint: Checkpoint | None, prepared: Prepared
) -> dict[str, Any] | None:
    """The summary of a run to which nothing is to be added; its expectations judged anew."""
    if checkpoint is None:
        return None
    state = checkpoint.state
    is_over = state.stopped_early or state.epoch >= prepared.experiment.training.epochs
    summary = _read_json(directory.summary)
    if not is_over or summary.get("status") != "completed":
        return None
    summary["expectations"] = judged(prepared.expectations, summary["metrics"])
    summary["exit_code"] = 0 if all(item["met"] for item in summary["expectations"]) else 4
    return summary


def _read_json(path: Path) -> dict[str, Any]:
    """A document of our own; empty where it is not there or not whole."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _refuse_fewer_epochs(checkpoint: Checkpoint, experiment: ExperimentConfig) -> None:
    planned = checkpoint.experiment.training.epochs
    if experiment.training.epochs < planned:
        raise CheckpointError(
            f"training.epochs: expected at least the run's {planned}, "
            f"got {experiment.training.epochs}",
            hint="a resumed run may be longer, not shorter",
        )


def _expected_shapes(
    prepared: Prepared, then_experiment: ExperimentConfig, then_preprocessing: Preprocessing
) -> dict[str, Shape]:
    """Called before any tensor is read: another config or other data is no damage."""
    then, now = plain(then_experiment), plain(prepared.experiment)
    differences = [key for key in _differing_keys(then, now) if key not in FREE_KEYS]
    if differences:
        raise CheckpointError(
            f"the config is not the interrupted run's; other values: {', '.join(differences)}",
            hint="resume without overrides, or start a new run",
        )
    if then_preprocessing.facts.fingerprint != prepared.dataset.facts.fingerprint:
        raise CheckpointError(
            "the data is not the interrupted run's: its fingerprint differs",
            where=prepared.experiment.data.source,
            hint="restore the data, or start a new run",
        )
    return prepared.architecture.variable_shapes


def refuse_another_engine(checkpoint: Checkpoint, engine: Mapping[str, Any]) -> None:
    """Other threads, devices or versions give other bits.

    Raises:
        CheckpointError: says what differs, then and now.
    """
    then = dict(checkpoint.engine)
    differences = [
        f"{name} was {then.get(name)!r}, is {engine[name]!r}"
        for name in engine
        if then.get(name) != engine[name]
    ]
    if differences:
        raise CheckpointError(
            f"this machine does not compute as the interrupted run did: {'; '.join(differences)}",
            hint="resume where the run began, or start a new run",
        )


def _differing_keys(then: Any, now: Any, key: str = "") -> Iterator[str]:
    """Dotted keys at which two plain configs differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted(then.keys() | now.keys()):
            child = f"{key}.{name}" if key else name
            yield from _differing_keys(then.get(name), now.get(name), child)
    elif then != now:
        yield key
