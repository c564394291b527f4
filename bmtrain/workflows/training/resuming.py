"""Going on with an interrupted run: from which checkpoint, with what warning, if at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint, read_description
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.differences import Difference
from bmtrain.errors import CheckpointError
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import read_json
from bmtrain.training_state import Plateau
from bmtrain.workflows import documents
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.training.recorded_state import is_summary, require_possible
from bmtrain.workflows.training.recording import judged
from bmtrain.workflows.training.resume_policy import ResumePolicy, is_at_or_below, run_differences

_BEST = "best_checkpoint"
_RATE = "optimizer.learning_rate"
_MONITOR = ("training.early_stopping.monitor", "training.early_stopping.mode")


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a run goes on.

    Attributes:
        checkpoint: the newest whole one; None where the run ended before its first.
        policy: what else may differ.
        changed: what differs from the interrupted run, by the user's leave.
        warnings: what to say, one line each.
        summary: of a run that is complete already; there is nothing to go on with.
        earlier: what run.json says of the starts before this one.
    """

    checkpoint: Checkpoint | None
    policy: ResumePolicy
    changed: tuple[Difference, ...]
    warnings: tuple[str, ...]
    summary: dict[str, Any] | None
    earlier: tuple[Any, ...]


def find_resumption(
    directory: RunDirectory, prepared: Prepared, allowed: tuple[str, ...] = ()
) -> Resumption:
    """Look at what the interrupted run left; changes nothing.

    Raises:
        CheckpointError: all checkpoints are damaged or one is of a newer format, or
            something differs that is not allowed to.
    """
    policy = ResumePolicy(allowed)
    store = CheckpointStore(directory.checkpoints)
    search = store.find("last")
    passed_over = [f"passed over {skipped.reason}" for skipped in search.skipped]
    if search.path is None and search.skipped:
        find_checkpoint(directory.path, "last")  # says what is wrong with each
    if search.path is None:
        _refuse_lost_checkpoints(directory)
    checkpoint: Checkpoint | None = None
    changed: tuple[Difference, ...] = ()
    if search.path is not None:
        plugins = prepared.experiment.plugins
        then = read_description(search.path, plugins)
        changed = policy.accepted([*run_differences(then, prepared), *_lost_best(store, then)])
        shapes = prepared.architecture.variable_shapes
        checkpoint = read_checkpoint(search.path, lambda *_: shapes, plugins=plugins)
        require_possible(checkpoint.state, prepared, search.path)
        if any(is_at_or_below(entry.key, (_BEST, *_MONITOR)) for entry in changed):
            checkpoint = _without_best(checkpoint)
        if any(is_at_or_below(entry.key, (_RATE,)) for entry in changed):
            state = replace(checkpoint.state, plateau=Plateau())
            checkpoint = replace(checkpoint, state=state)
    started = read_json(directory.run_json)
    return Resumption(
        checkpoint=checkpoint,
        policy=policy,
        changed=changed,
        warnings=(*passed_over, *(f"{entry}, as allowed" for entry in changed)),
        summary=_completed(directory, checkpoint, prepared),
        earlier=_earlier_starts(started),
    )


def _earlier_starts(started: dict[str, Any]) -> tuple[Any, ...]:
    """What run.json says of each start before this one."""
    earlier = started.pop("earlier", [])
    return (*(earlier if isinstance(earlier, list) else ()), started) if started else ()


def _refuse_lost_checkpoints(directory: RunDirectory) -> None:
    """Not a run that was killed before its first save: one whose checkpoints are gone."""
    summary = read_json(directory.summary)
    if not summary and directory.summary.exists():
        raise CheckpointError(
            "it is damaged, and no checkpoint is there: what the run was cannot be told",
            where=str(directory.summary),
            hint="put the checkpoints back, or start a new run in another directory",
        )
    if (saved := summary.get("checkpoint")) is not None:
        raise CheckpointError(
            f"the run saved {str(saved)!a:.200}, and no checkpoint is there any more",
            where=str(directory.checkpoints),
            hint="put it back, or start a new run in another directory",
        )


def _lost_best(store: CheckpointStore, last: Checkpoint) -> Iterator[Difference]:
    """The best weights so far are part of what the run would have ended in."""
    if last.state.best_step is not None and store.best_of(last.state) is None:
        yield Difference(_BEST, f"that of step {last.state.best_step}", "damaged or gone")


def _without_best(checkpoint: Checkpoint) -> Checkpoint:
    """What was best so far counts no more."""
    state = replace(
        checkpoint.state,
        best_value=None,
        best_epoch=None,
        best_step=None,
        epochs_without_improvement=0,
    )
    return replace(checkpoint, state=state)


def _completed(
    directory: RunDirectory, checkpoint: Checkpoint | None, prepared: Prepared
) -> dict[str, Any] | None:
    """The summary of a run to which nothing is to be added; its expectations judged anew.

    One that is damaged, or somebody's joke, is made again from what the run holds.
    """
    if checkpoint is None:
        return None
    state = checkpoint.state
    is_over = state.stopped_early or state.epoch >= prepared.experiment.training.epochs
    summary = read_json(directory.summary)
    if not is_over or not is_summary(summary):
        return None
    summary = dict.fromkeys(documents.TRAIN) | summary  # an earlier version's has fewer
    summary["run_dir"] = str(directory.path)  # where it is now
    summary["expectations"] = judged(prepared.expectations, summary["metrics"])
    summary["exit_code"] = 0 if all(item["met"] for item in summary["expectations"]) else 4
    return summary
