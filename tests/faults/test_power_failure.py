"""Killed after any call, or without power: what was promised is on the disk, and nothing half."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import read_json
from bmtrain.runs.predictions import read_predictions
from tests.faults.cycle import RUN_FILES, Writer, check_whole, names_in, text_of
from tests.faults.power import Promise, Tree, make_tree, read_tree
from tests.faults.recording import Recording


class Trial:
    """The recording of one cycle, after ``num_before`` others, in a run below ``root``."""

    def __init__(self, root: Path, *, num_before: int) -> None:
        self._root = root
        self._number = num_before + 1
        self._run = root / "runs" / "run"
        (root / "runs").mkdir()
        if num_before == 0:
            (root / "runs").rmdir()  # the first run of all makes it
        for number in range(1, self._number):
            Writer().cycle(self._run, number)
        self.recording = Recording(root)
        with self.recording.watching():
            Writer(self.recording.promise).cycle(self._run, self._number)

    def check_all(self) -> int:
        """Look at each state that may be found; how many different ones there are."""
        journal = self.recording.journal
        assert next(self.recording.states(len(journal))) == read_tree(self._root)
        seen: set[tuple[str, frozenset[str]]] = set()
        for num_calls in range(len(journal) + 1):
            promised = {e.name for e in journal[:num_calls] if isinstance(e, Promise)}
            for tree in self.recording.states(num_calls):
                key = repr(tree), frozenset(promised)
                if key not in seen:
                    seen.add(key)
                    self._check(tree, promised)
        return len(seen)

    def _check(self, tree: Tree, promised: set[str]) -> None:
        shutil.rmtree(self._root)
        make_tree(tree, self._root)
        before = 10 * (self._number - 1)
        if RunDirectory(self._run).config.exists() or promised:
            found = check_whole(self._run)
            allowed = [(before, max(before - 5, 0))]
            allowed += [(before + 5, before + 5), (before + 10, before + 5)]
            num_saved = sum(name.startswith("step ") for name in promised)
            assert found in allowed[num_saved:]
            self._check_documents(promised)
        Writer().cycle(self._run, self._number + 1)
        assert check_whole(self._run) == (before + 20, before + 15)
        kept = {f"checkpoints/step-000000{before + step}" for step in (15, 20)}
        assert names_in(self._run) == RUN_FILES | kept

    def _check_documents(self, promised: set[str]) -> None:
        run = RunDirectory(self._run)
        text = text_of(self._number)
        if "config.yaml" in promised:
            assert run.config.read_text() == text
        for document in (run.run_json, run.summary):
            if document.name in promised:
                assert read_json(document)["text"] == text
        if "predictions" in promised:
            found = read_predictions(run.predictions / "test.safetensors")
            assert len(found.outputs) == self._number


@pytest.mark.parametrize(
    "num_before",
    [
        pytest.param(0, id="the first cycle"),
        pytest.param(1, id="the second cycle", marks=pytest.mark.long),
    ],
)
def test_killed_or_without_power_after_any_call_nothing_promised_is_lost(
    make_quick_path: Callable[[], Path], num_before: int
) -> None:
    """Every prefix of the calls is replayed, with all, some and none of what was not flushed."""
    assert Trial(make_quick_path(), num_before=num_before).check_all() > 100
