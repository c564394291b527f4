"""A save may fail, or be killed, at every call to the file system; the last good one loads."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint, verify_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.errors import CheckpointError, EnvironmentFault

MakeCheckpoint = Callable[..., Checkpoint]
AssertSame = Callable[[Checkpoint, Checkpoint], None]

#: Every call of ``os`` that the store may make; one that a save does not make costs nothing.
CALLS = (
    *("open", "write", "fsync", "close", "mkdir", "rename", "replace", "unlink", "rmdir"),
    *("listdir", "scandir", "lstat", "stat", "fstat", "pread", "preadv", "ftruncate", "fchmod"),
)


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


class Faults:
    """Counts calls of ``os``; the one numbered ``fail_at`` raises, and after a kill all do."""

    def __init__(self, fail_at: int, failure: BaseException) -> None:
        self.made: list[str] = []
        self._fail_at = fail_at
        self._failure = failure

    def wrap(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.made.append(name)
            late = len(self.made) - 1 - self._fail_at
            if name == "close":  # Linux closes even when it reports an error, or kills
                real(*args)
                if late == 0 and isinstance(self._failure, OSError):
                    raise self._failure
                return None
            if late == 0 or (late > 0 and isinstance(self._failure, Killed)):
                raise self._failure
            return real(*args, **kwargs)

        return call


@contextmanager
def failing(patch: pytest.MonkeyPatch, fail_at: int, failure: BaseException) -> Iterator[Faults]:
    faults = Faults(fail_at, failure)
    with patch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, faults.wrap(name))
        yield faults


@pytest.fixture(autouse=True)
def quick_flushes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushing is counted and may fail, but these thousand saves do not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def filled(
    make_checkpoint: MakeCheckpoint, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], CheckpointStore]:
    """A store with steps 10 (the best) and 20, as it is before the save of step 30."""
    original = tmp_path_factory.mktemp("filled") / "checkpoints"
    store = CheckpointStore(original)
    store.save(make_checkpoint(10, best_step=10), best=True)
    store.save(make_checkpoint(20, best_step=10), best=False)

    def fill(directory: Path) -> CheckpointStore:
        shutil.copytree(original, directory)
        # A new process, so that looking after leftovers is part of what may fail.
        return CheckpointStore(directory)

    return fill


@pytest.fixture
def third(make_checkpoint: MakeCheckpoint) -> Checkpoint:
    return make_checkpoint(30, best_step=30)


def count_calls(store: CheckpointStore, third: Checkpoint, patch: pytest.MonkeyPatch) -> list[str]:
    with failing(patch, sys.maxsize, Killed()) as faults:
        store.save(third, best=True)
    return faults.made


def error_of(store: CheckpointStore, third: Checkpoint) -> str | None:
    """What a save says when it fails; None where the fault was harmless."""
    try:
        store.save(third, best=True)
    except (EnvironmentFault, CheckpointError) as error:
        return str(error)
    return None


def check_aftermath(
    directory: Path, make_checkpoint: MakeCheckpoint, assert_same: AssertSame
) -> None:
    """A whole one loads before and after the clean-up; no litter stays; the next save works."""

    def check_found(store: CheckpointStore) -> int:
        last, best = store.last(), store.best()
        assert last is not None
        assert best is not None
        step = read_checkpoint(last).state.step
        best_step = {20: 10, 30: 30}[step]
        assert_same(read_checkpoint(last), make_checkpoint(step, best_step))
        assert_same(read_checkpoint(best), make_checkpoint(best_step, best_step))
        return best_step

    for path in directory.glob("step-*"):
        verify_checkpoint(path)  # half a checkpoint never has the name of a whole one
    store = CheckpointStore(directory)
    check_found(store)
    store.prepare()
    best_step = check_found(store)
    names = {path.name for path in directory.iterdir()}
    allowed = {f"step-000000{step}" for step in (10, 20, 30)} | {"index.json"}
    assert names <= allowed
    path = store.save(make_checkpoint(40, best_step=best_step), best=False)
    assert store.last() == path
    assert store.best() is not None


def test_after_a_fault_at_any_call_the_last_good_one_loads(
    tmp_path: Path,
    filled: Callable[[Path], CheckpointStore],
    third: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    made = count_calls(filled(tmp_path / "count"), third, monkeypatch)
    assert {"open", "write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir"} <= set(made)
    for fail_at in range(len(made)):
        directory = tmp_path / str(fail_at)
        store = filled(directory)
        number = errno.ENOSPC if fail_at % 2 else errno.EIO
        with failing(monkeypatch, fail_at, OSError(number, os.strerror(number))) as faults:
            error = error_of(store, third)
        if error is not None:
            assert "\n" not in error
            assert str(directory) in error
        assert faults.made[fail_at] == made[fail_at]
        check_aftermath(
            directory,
            request.getfixturevalue("make_checkpoint"),
            request.getfixturevalue("assert_same"),
        )
        shutil.rmtree(directory)


def test_killed_before_any_call_the_last_good_one_loads(
    tmp_path: Path,
    filled: Callable[[Path], CheckpointStore],
    third: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    made = count_calls(filled(tmp_path / "count"), third, monkeypatch)
    for fail_at in range(len(made)):
        directory = tmp_path / str(fail_at)
        store = filled(directory)
        if made[fail_at] == "close":
            continue  # a kill there is a kill at the next call
        with failing(monkeypatch, fail_at, Killed()), pytest.raises(Killed):
            store.save(third, best=True)
        check_aftermath(
            directory,
            request.getfixturevalue("make_checkpoint"),
            request.getfixturevalue("assert_same"),
        )
        shutil.rmtree(directory)


def test_the_first_save_of_all_killed_anywhere_leaves_a_whole_one_or_none(
    tmp_path: Path, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = CheckpointStore(tmp_path / "count")
    with failing(monkeypatch, sys.maxsize, Killed()) as faults:
        store.save(make_checkpoint(10), best=False)
    found = set()
    for fail_at, name in enumerate(faults.made):
        if name == "close":
            continue
        store = CheckpointStore(tmp_path / str(fail_at))
        with failing(monkeypatch, fail_at, Killed()), pytest.raises(Killed):
            store.save(make_checkpoint(10), best=False)
        last = CheckpointStore(tmp_path / str(fail_at)).last()
        found.add(None if last is None else read_checkpoint(last).state.step)
    assert found == {None, 10}
