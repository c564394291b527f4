"""Which checkpoint of a run is the last, which the best, and what was passed over on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.checkpoint.files import reading, require_directory
from bmtrain.checkpoint.index import Index, read_index
from bmtrain.checkpoint.names import age, is_checkpoint_name
from bmtrain.checkpoint.read import verify_checkpoint
from bmtrain.durable import environment_faults
from bmtrain.errors import CheckpointError, NewerFormat
from bmtrain.training_state import TrainingState

#: Searches while a running training saves; each takes milliseconds.
_MAX_SEARCHES = 10


@dataclass(frozen=True, slots=True)
class Skipped:
    """A checkpoint that was passed over, and what is wrong with it: a sentence that names it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: the checkpoint, or None, and those passed over on the way."""

    path: Path | None
    skipped: tuple[Skipped, ...]


def find_in(directory: Path, which: Literal["best", "last"]) -> Search:
    """Verifies the checkpoints in ``directory``, newest first, until one is whole.

    last: that one. best: the checkpoint of the step that its state calls the best; where
    newer ones are damaged or missing, only if the index calls it so, too.

    Raises:
        EnvironmentFault: the directory or a file may not be read.
        CheckpointError: the directory is a link.
    """
    search = Search(None, ())
    for _ in range(_MAX_SEARCHES):
        index = read_index(directory)
        search = _search(directory, which, index)
        # What is not there any more may have been dropped by a training that goes on.
        if not search.skipped or read_index(directory) == index:
            break
    return search


def checkpoint_paths(directory: Path) -> list[Path]:
    """All checkpoints, newest first.

    Raises:
        EnvironmentFault: it may not be read. CheckpointError: it is a link.
    """
    with environment_faults(directory, "read the directory of checkpoints"):
        require_directory(directory)
        paths = list(directory.iterdir()) if directory.is_dir() else []
    found = [path for path in paths if is_checkpoint_name(path.name)]
    return sorted(found, key=lambda path: age(path.name), reverse=True)


def of_step(paths: Iterable[Path], step: int | None) -> list[Path]:
    """Those that were saved at ``step``."""
    return [path for path in paths if age(path.name)[0] == step]


def first_whole(
    paths: Iterable[Path], skipped: list[Skipped]
) -> tuple[Path, TrainingState] | tuple[None, None]:
    """The first whole one and its state; the damaged ones before it go into ``skipped``.

    Raises:
        NewerFormat: not damaged: whoever made it would not want it passed over.
        EnvironmentFault: one may not be read.
    """
    for path in paths:
        try:
            with reading(path):
                require_directory(path)
            return path, verify_checkpoint(path)
        except NewerFormat:
            raise
        except CheckpointError as error:
            skipped.append(Skipped(path, str(error)))
    return None, None


def _search(directory: Path, which: Literal["best", "last"], index: Index) -> Search:
    paths = checkpoint_paths(directory)
    skipped = [
        Skipped(directory / name, f"{directory / name}: it is named by index.json and is missing")
        for name in index.names
        if directory / name not in paths
    ]
    last, state = first_whole(paths, skipped)
    if which == "last" or last is None or state is None:
        return Search(last, tuple(skipped))
    is_newest = all(age(entry.path.name) < age(last.name) for entry in skipped)
    is_best = state.best_step == state.step
    best = last if is_best else first_whole(of_step(paths, state.best_step), skipped)[0]
    if best is None or is_newest or index.best == best.name:
        return Search(best, tuple(skipped))
    if not is_best:
        reason = f"it was the best up to step {state.step}; what came later is not known"
        skipped.append(Skipped(best, f"{best}: {reason}"))
    return Search(None, tuple(skipped))
