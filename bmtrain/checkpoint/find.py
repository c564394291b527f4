"""From what a user types, a run directory or a checkpoint, to one checkpoint."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.checkpoint.files import reading
from bmtrain.checkpoint.manifest import MANIFEST
from bmtrain.checkpoint.search import Skipped, find_in
from bmtrain.config.missing_runs import require_there
from bmtrain.errors import CheckpointError
from bmtrain.program import program

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class FoundCheckpoint:
    """A checkpoint and how it was found.

    Attributes:
        path: the checkpoint's directory.
        is_run: the user named a run directory; then ``run_dir`` is it.
        which: "best" or "last" of a run; "given" if the checkpoint itself was named.
        skipped: damaged and missing ones that were passed over: tell the user.
    """

    path: Path
    is_run: bool
    run_dir: Path | None
    which: Literal["best", "last", "given"]
    skipped: tuple[Skipped, ...]


def find_checkpoint(path: Path, which: Literal["auto", "best", "last"] = "auto") -> FoundCheckpoint:
    """The checkpoint that ``path`` names.

    Args:
        path: a checkpoint's directory, or a run directory, of which ``which`` is taken.
        which: auto: the best if there is one, else the last. A damaged best gives the last.

    Returns:
        A checkpoint of a run is verified; one that was named itself is not yet.

    Raises:
        UsageError: there is nothing of that name.
        CheckpointError: there is none in it, or none that is whole.
        EnvironmentFault: permissions.
    """
    require_there(path)
    with reading(path):
        if (path / MANIFEST).exists() or (path / MANIFEST).is_symlink():
            return FoundCheckpoint(path, False, None, "given", ())
        if not (path / CHECKPOINTS).is_dir():
            raise _none_whole(path, which, ()) if is_run(path) else _nothing(path)
    skipped: tuple[Skipped, ...] = ()
    if which != "last":
        search = find_in(path / CHECKPOINTS, "best")
        if search.path is not None:
            return FoundCheckpoint(search.path, True, path, "best", search.skipped)
        skipped = search.skipped
    if which != "best":
        search = find_in(path / CHECKPOINTS, "last")
        skipped = tuple(dict.fromkeys(skipped + search.skipped))
        if search.path is not None:
            return FoundCheckpoint(search.path, True, path, "last", skipped)
    raise _none_whole(path, which, skipped)


def is_run(path: Path) -> bool:
    """Whether a training began there: its config is the first thing that a run writes."""
    return (path / "config.yaml").is_file() and (path / ".lock").exists()


def _nothing(path: Path) -> CheckpointError:
    if not path.is_dir():
        message = "a file; a checkpoint is a directory"
    else:
        message = f"neither a run directory nor a checkpoint: no {CHECKPOINTS}/, no {MANIFEST}"
    hint = "give a run directory (runs/NAME-...) or a checkpoint (.../checkpoints/step-...)"
    if (path / "fold-1").is_dir():
        hint = f"it holds the folds of a cross-validation: give one of them, {path / 'fold-1'}"
    return CheckpointError(message, where=str(path), hint=hint)


def _none_whole(path: Path, which: str, skipped: tuple[Skipped, ...]) -> CheckpointError:
    if skipped:
        message = "no whole checkpoint: " + "; ".join(entry.reason for entry in skipped)
    elif which == "best":
        message = "the run has no best checkpoint: nothing was monitored on a validation split"
    else:
        hint = f"train it: {program()} train {shlex.quote(str(path))} --resume"
        return CheckpointError("the run has no checkpoint yet", where=str(path), hint=hint)
    return CheckpointError(message, where=str(path))
