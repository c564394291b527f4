"""The checkpoints of one run: commit, verify, keep, find.

``checkpoints/step-00001875/``, one directory per save; a second save of the same step
becomes ``step-00001875-r2``, so that a good one is never touched before its successor
is verified. What is on the disk decides; what ``index.json`` is asked is in
``bmtrain.checkpoint.index``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.index import Index, write_index
from bmtrain.checkpoint.names import age, checkpoint_name
from bmtrain.checkpoint.read import verify_checkpoint
from bmtrain.checkpoint.search import Search, checkpoint_paths, find_in, first_whole, of_step
from bmtrain.checkpoint.write import WRITING_SUFFIX, remove_tree, write_checkpoint
from bmtrain.durable import environment_faults, flush_directory, make_directory, remove_leftovers
from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.training_state import TrainingState

_DISCARDED_SUFFIX = ".discarded"
_LEFTOVER = re.compile(rf"\.step-.*({re.escape(WRITING_SUFFIX)}|{re.escape(_DISCARDED_SUFFIX)})")


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
            make_directory(self.directory)
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
            EnvironmentFault: it cannot be written, or what was written does not read back;
                then nothing was dropped.
            ValueError: ``best`` and the state disagree.
        """
        state = checkpoint.state
        if best and state.best_step != state.step:
            raise ValueError(f"the best at step {state.step}, but best_step is {state.best_step}")
        if not self._prepared:
            self.prepare()
        path = self._free_path(state.step)
        write_checkpoint(path, checkpoint)
        self._verified[path] = _read_back(path)
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

    def best_of(self, state: TrainingState) -> Path | None:
        """The whole checkpoint that ``state`` calls the best. Raises ``EnvironmentFault``."""
        return first_whole(of_step(checkpoint_paths(self.directory), state.best_step), [])[0]

    def find(self, which: Literal["best", "last"]) -> Search:
        """The last or the best, and what was passed over: see ``find_in``."""
        return find_in(self.directory, which)

    def _free_path(self, step: int) -> Path:
        taken = of_step(checkpoint_paths(self.directory), step)
        revision = age(taken[0].name)[1] + 1 if taken else 1
        return self.directory / checkpoint_name(step, revision)

    def _drop_others(self, saved: Path | None) -> None:
        """Writes the index; then, if enough whole ones are there, drops what is not kept."""
        paths = checkpoint_paths(self.directory)
        newest: dict[int, Path] = {}  # step -> its newest whole checkpoint
        for path in paths:
            step = age(path.name)[0]
            if len(newest) < self._keep and step not in newest and self._is_whole(path):
                newest[step] = path
        if not newest:
            return
        last = next(iter(newest.values()))
        of_best = of_step(paths, self._verified[last].best_step)
        best = next(filter(self._is_whole, of_best), None)
        write_index(self.directory, Index(last.name, None if best is None else best.name))
        if len(newest) < self._keep:
            return
        kept = {saved, best, *newest.values()}
        # A damaged one may still be of use to somebody.
        self._discard([p for p in paths if p not in kept and self._is_whole(p)])

    def _is_whole(self, path: Path) -> bool:
        """Verified once by this process; ``find`` verifies each time."""
        if path not in self._verified:
            state = first_whole([path], [])[1]
            if state is None:
                return False
            self._verified[path] = state
        return True

    def _discard(self, paths: list[Path]) -> None:
        # Renamed first, and for good: a half-removed checkpoint must not look like a damaged one.
        discarded = []
        with environment_faults(self.directory, "remove old checkpoints"):
            for path in paths:
                discarded.append(path.parent / f".{path.name}{_DISCARDED_SUFFIX}")
                remove_tree(discarded[-1])
                path.rename(discarded[-1])
                self._verified.pop(path, None)
            if discarded:
                flush_directory(self.directory)
            for path in discarded:
                remove_tree(path)


def _read_back(path: Path) -> TrainingState:
    try:
        return verify_checkpoint(path)
    except CheckpointError as error:
        raise EnvironmentFault(
            f"what was saved does not read back: {error.message}",
            where=error.where,
            hint="check the disk and the memory; the checkpoints before it are kept",
        ) from error
