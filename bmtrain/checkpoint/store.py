"""The checkpoints of one run: commit, verify, keep, find.

``checkpoints/step-00001875/``, one directory per save; a second save of the same step
becomes ``step-00001875-r2``, so that a good one is never touched before its successor
is verified. What is on the disk decides; ``index.json`` repeats it for people and
other programs and is never read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain import strict_json
from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.files import reading, require_directory
from bmtrain.checkpoint.read import verify_checkpoint
from bmtrain.checkpoint.write import WRITING_SUFFIX, remove_tree, write_checkpoint
from bmtrain.durable import environment_faults, flush_directory, remove_leftovers, write_bytes
from bmtrain.errors import CheckpointError, NewerFormat
from bmtrain.training_state import TrainingState

INDEX = "index.json"
_NAME = re.compile(r"step-(\d{8,18})(?:-r(\d{1,6}))?", re.ASCII)
_DISCARDED_SUFFIX = ".discarded"
_LEFTOVER = re.compile(rf"\.step-.*({re.escape(WRITING_SUFFIX)}|{re.escape(_DISCARDED_SUFFIX)})")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A checkpoint that was passed over, and what is wrong with it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: the checkpoint, or None, and the damaged ones on the way."""

    path: Path | None
    skipped: tuple[Skipped, ...]


class CheckpointStore:
    """The directory ``checkpoints/`` of a run; one process writes, any may read.

    Args:
        directory: made by ``prepare``, which the first save calls.
        keep: how many of the newest stay, at least two; the best stays always.
    """

    def __init__(self, directory: Path, *, keep: int = 2) -> None:
        self.directory = directory
        self._keep = max(2, keep)
        self._prepared = False
        self._verified: dict[Path, TrainingState] = {}

    def prepare(self) -> None:
        """Makes the directory and removes what killed saves left in it.

        Raises:
            EnvironmentFault: it cannot be written.
        """
        with environment_faults(self.directory, "prepare the directory of checkpoints"):
            if not self.directory.is_dir():
                self.directory.mkdir()
                flush_directory(self.directory.parent)
            for path in list(self.directory.iterdir()):
                if _LEFTOVER.fullmatch(path.name):
                    remove_tree(path)
        remove_leftovers(self.directory)
        self._prepared = True

    def save(self, checkpoint: Checkpoint, *, best: bool) -> Path:
        """Writes, reads back and verifies a checkpoint; then drops those not kept.

        Args:
            checkpoint: written as ``step-…`` by its state's ``step``.
            best: this is the best so far; its state's ``best_step`` must say so, because
                the state of the newest checkpoint is where the best is looked up later.

        Raises:
            EnvironmentFault: it cannot be written.
            CheckpointError: what was written does not read back; nothing was dropped.
            ValueError: ``best`` and the state disagree.
        """
        state = checkpoint.state
        if best and state.best_step != state.step:
            raise ValueError(f"the best at step {state.step}, but best_step is {state.best_step}")
        if not self._prepared:
            self.prepare()
        path = self._free_path(state.step)
        write_checkpoint(path, checkpoint)
        self._verified[path] = verify_checkpoint(path)
        self._drop_others(path)
        return path

    def settle(self) -> None:
        """Completes what a killed save left undone: leftovers, the index, what is not kept.

        Raises:
            EnvironmentFault: it cannot be written.
        """
        if not self._prepared:
            self.prepare()
        self._drop_others(None)

    def last(self) -> Path | None:
        """The newest checkpoint that is whole. Raises ``EnvironmentFault``."""
        return self.find("last").path

    def best(self) -> Path | None:
        """The best checkpoint, if there is one and it is whole. Raises ``EnvironmentFault``."""
        return self.find("best").path

    def find(self, which: Literal["best", "last"]) -> Search:
        """Verifies, newest first, until one is whole.

        last: that one. best: the checkpoint of the step that its state calls the best.

        Raises:
            EnvironmentFault: the directory or a file may not be read.
            CheckpointError: the store's directory is a link.
        """
        skipped: list[Skipped] = []
        last, state = _first_whole(self._paths(), skipped)
        if which == "last" or state is None:
            return Search(last, tuple(skipped))
        if state.best_step == state.step:
            return Search(last, tuple(skipped))
        return Search(_first_whole(self._of_step(state.best_step), skipped)[0], tuple(skipped))

    def _paths(self) -> list[Path]:
        """All checkpoints, newest first."""
        with environment_faults(self.directory, "read the directory of checkpoints"):
            require_directory(self.directory)
            paths = list(self.directory.iterdir()) if self.directory.is_dir() else []
        found = [path for path in paths if _NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: _age(path.name), reverse=True)

    def _of_step(self, step: int | None) -> list[Path]:
        return [path for path in self._paths() if _age(path.name)[0] == step]

    def _free_path(self, step: int) -> Path:
        taken = self._of_step(step)
        if not taken:
            return self.directory / f"step-{step:08d}"
        return self.directory / f"step-{step:08d}-r{_age(taken[0].name)[1] + 1}"

    def _drop_others(self, saved: Path | None) -> None:
        """Writes the index; then, if enough whole ones are there, drops what is not kept."""
        newest: dict[int, Path] = {}  # step -> its newest whole checkpoint
        for path in self._paths():
            step = _age(path.name)[0]
            if len(newest) < self._keep and step not in newest and self._is_whole(path):
                newest[step] = path
        if not newest:
            return
        last = next(iter(newest.values()))
        best = next(filter(self._is_whole, self._of_step(self._verified[last].best_step)), None)
        index = {"last": last.name, "best": None if best is None else best.name}
        write_bytes(self.directory / INDEX, strict_json.encode(index) + b"\n", links=False)
        if len(newest) < self._keep:
            return
        kept = {saved, best, *newest.values()}
        for path in self._paths():
            if path not in kept and self._is_whole(path):  # a damaged one may still be of use
                self._discard(path)

    def _is_whole(self, path: Path) -> bool:
        """Verified once by this process; ``find`` verifies each time."""
        if path not in self._verified:
            state = _first_whole([path], [])[1]
            if state is None:
                return False
            self._verified[path] = state
        return True

    def _discard(self, path: Path) -> None:
        # Renamed first: a half-removed checkpoint must not look like a damaged one.
        discarded = path.parent / f".{path.name}{_DISCARDED_SUFFIX}"
        with environment_faults(path, "remove an old checkpoint"):
            remove_tree(discarded)
            path.rename(discarded)
            self._verified.pop(path, None)
            remove_tree(discarded)


def _age(name: str) -> tuple[int, int]:
    """(step, revision); the larger the newer."""
    match = _NAME.fullmatch(name)
    assert match is not None, name
    return int(match[1]), int(match[2] or 1)


def _first_whole(
    paths: Iterable[Path], skipped: list[Skipped]
) -> tuple[Path, TrainingState] | tuple[None, None]:
    """The first whole one and its state; the damaged ones before it go into ``skipped``."""
    for path in paths:
        try:
            with reading(path):
                require_directory(path)
            return path, verify_checkpoint(path)
        except NewerFormat:
            raise  # not damaged: whoever made it would not want it passed over
        except CheckpointError as error:
            skipped.append(Skipped(path, str(error)))
    return None, None
