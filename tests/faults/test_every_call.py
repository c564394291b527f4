"""Each call to the file system may fail, or be the last: the last good checkpoint still loads."""

from __future__ import annotations

import errno
import hashlib
import shutil
import sys
from pathlib import Path
from typing import Self

import pytest

from bmtrain.errors import CheckpointError, EnvironmentFault
from tests.faults.cycle import RUN_FILES, Writer, check_whole, names_in
from tests.faults.injection import READS, READS_BY_PATH, Killed, Kind, faults_in

#: What a message says of each.
WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EIO: "input/output error",
    errno.EDQUOT: "quota",
    errno.EROFS: "read-only",
    errno.EACCES: "permission denied",
}


class Trial:
    """One cycle after ``num_before`` others, again and again, each time with another fault."""

    def __init__(self, base: Path, *, num_before: int) -> None:
        self._base = base
        self._number = num_before + 1
        self._checked: set[str] = set()
        Writer().cycle(base / "imports", 1)  # made now, they are not counted
        for number in range(1, self._number):
            Writer().cycle(base / "before", number)
        (base / "before").mkdir(exist_ok=True)
        self.calls = self._calls()

    def _calls(self) -> list[str]:
        """The calls of a cycle in which nothing fails."""
        with self._fresh() as run, faults_in(sys.maxsize) as faults:
            Writer().cycle(run.path, self._number)
        return faults.made

    def _fresh(self) -> _Fresh:
        return _Fresh(self._base)

    def run(self, fail_at: int, kind: Kind, number: int = 0) -> Exception | None:
        """What the cycle raised, if it did; what it leaves behind is checked."""
        error: Exception | None = None
        with self._fresh() as fresh:
            with faults_in(fail_at, kind, number) as faults:
                try:
                    Writer().cycle(fresh.path, self._number)
                except Killed:
                    pass
                except Exception as raised:  # noqa: BLE001  # it is looked at by the caller
                    error = raised
            assert faults.made[: fail_at + 1] == self.calls[: fail_at + 1]
            digest = _digest(fresh.path)
            if digest not in self._checked:
                self._check(fresh.path)
                self._checked.add(digest)
        return error

    def _check(self, path: Path) -> None:
        """Whole; and the next start and its saves work and leave no litter behind."""
        before = 10 * (self._number - 1)
        allowed = {
            (before, max(before - 5, 0)),
            (before + 5, before + 5),
            (before + 10, before + 5),
        }
        if path.exists():
            assert check_whole(path) in allowed
        Writer().cycle(path, self._number + 1)
        assert check_whole(path) == (before + 20, before + 15)
        kept = {f"checkpoints/step-000000{before + step}" for step in (15, 20)}
        assert names_in(path) == RUN_FILES | kept


class _Fresh:
    """A copy of the directory as it was, gone at the end."""

    def __init__(self, base: Path) -> None:
        self.path = base / "run"
        self._base = base

    def __enter__(self) -> Self:
        if any((self._base / "before").iterdir()):
            shutil.copytree(self._base / "before", self.path)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _digest(path: Path) -> str:
    """Of names and contents; of the log's and the lock's only the names: they hold the time."""
    digest = hashlib.sha256()
    for entry in sorted(path.rglob("*")):
        name = str(entry.relative_to(path))
        digest.update((".tmp" if name.endswith(".tmp") else name).encode() + b"\0")
        if entry.is_file() and name not in {".lock", "log.txt"}:
            digest.update(entry.read_bytes() + b"\0")
    return digest.hexdigest()


@pytest.fixture(scope="module")
def first_cycle(make_quick_path) -> Trial:
    return Trial(make_quick_path(), num_before=0)


@pytest.fixture(scope="module")
def second_cycle(make_quick_path) -> Trial:
    return Trial(make_quick_path(), num_before=1)


def test_a_cycle_makes_every_kind_of_call(second_cycle) -> None:
    wanted = {
        "open",
        "write",
        "fsync",
        "mkdir",
        "rename",
        "replace",
        "unlink",
        "rmdir",
        "ftruncate",
    }
    assert wanted <= set(second_cycle.calls) - READS


def may_fail(name: str, number: int) -> bool:
    """Whether that call can end in that error."""
    if number == errno.EACCES:
        return name in READS_BY_PATH or name not in READS
    return number == errno.EIO or name not in READS


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[] if number == errno.EIO else [pytest.mark.long])
        for number in WORDS
    ],
    ids=errno.errorcode.get,
)
def test_after_an_error_at_any_call_the_last_good_one_loads(second_cycle, number) -> None:
    trial = second_cycle
    for fail_at, name in enumerate(trial.calls):
        if not may_fail(name, number):
            continue
        error = trial.run(fail_at, "error", number)
        if error is None:
            continue
        assert "\n" not in str(error)
        assert "/run" in str(getattr(error, "where", None)), (fail_at, name, error)
        if isinstance(error, CheckpointError):
            assert (name in READS, number) == (True, errno.EIO)
        else:
            assert isinstance(error, EnvironmentFault)
        if name != "close":  # after which shutil closes again, and tells of that
            assert WORDS[number] in str(error).lower()
            assert error.hint is not None


@pytest.mark.parametrize("kind", ["killed", "torn", "short"])
@pytest.mark.parametrize("cycle", ["first_cycle", "second_cycle"])
def test_killed_before_or_in_any_call_or_written_short_the_last_good_one_loads(
    request, cycle, kind
) -> None:
    trial = request.getfixturevalue(cycle)
    for fail_at, name in enumerate(trial.calls):
        # A kill between two calls that only read is a kill at the next call that writes.
        if name == "write" or (kind == "killed" and name not in READS):
            error = trial.run(fail_at, kind, errno.ENOSPC)
            assert (error is None) == (kind != "short")
