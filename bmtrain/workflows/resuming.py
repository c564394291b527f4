"""Going on with an interrupted run: from where, and when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.resolved import plain
from bmtrain.errors import CheckpointError
from bmtrain.runs.directory import RunDirectory
from bmtrain.workflows.preparation import Prepared

#: What may differ from the interrupted run without changing a bit of what it would have done.
FREE_KEYS = frozenset({"expect", "training.epochs", "training.steps_per_call", "training.device"})


def last_checkpoint(
    directory: RunDirectory, prepared: Prepared, note: Callable[[str], None]
) -> Checkpoint | None:
    """The newest whole checkpoint, or None where the run ended before its first one.

    Damaged ones are passed over and told to ``note``.

    Raises:
        CheckpointError: all are damaged, or the config or the data is another.
    """
    store = CheckpointStore(directory.checkpoints)
    search = store.find("last")
    for skipped in search.skipped:
        note(f"passed over {skipped.path}: {skipped.reason}")
    if search.path is None:
        if search.skipped:
            find_checkpoint(directory.path, "last")  # says what is wrong with each
        return None
    checkpoint = read_checkpoint(
        search.path, lambda _experiment, _preprocessing: prepared.architecture.variable_shapes
    )
    _refuse_another_experiment(checkpoint, prepared)
    return checkpoint


def _refuse_another_experiment(checkpoint: Checkpoint, prepared: Prepared) -> None:
    then, now = plain(checkpoint.experiment), plain(prepared.experiment)
    differences = [key for key in _differing_keys(then, now) if key not in FREE_KEYS]
    if differences:
        raise CheckpointError(
            f"the config is not the interrupted run's; other values: {', '.join(differences)}",
            hint="resume without overrides, or start a new run",
        )
    if checkpoint.preprocessing.facts.fingerprint != prepared.dataset.facts.fingerprint:
        raise CheckpointError(
            "the data is not the interrupted run's: its fingerprint differs",
            where=prepared.experiment.data.source,
            hint="restore the data, or start a new run",
        )


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
