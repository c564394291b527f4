"""An export gets its name when it is whole and proved; until then it is in a directory beside.

That directory is locked as long as its process lives. What a killed one left is known by that,
and the next export into the same place settles it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bmtrain.durable import environment_faults, flush_directory, make_directory
from bmtrain.errors import EnvironmentFault
from bmtrain.exports.savedmodel import ENTRIES

_PREFIX, _SUFFIX = ".bmtrain-", ".exporting"
_MADE = re.compile(rf"{re.escape(_PREFIX)}[a-z0-9_]{{8}}{re.escape(_SUFFIX)}")
#: Of a SavedModel that waits, in the directory of its successor, to be removed.
_REPLACED = ".replaced"


def require_free(target: Path, *, is_directory: bool, force: bool) -> None:
    """Refuse to touch what is there, unless it is asked for and is what an export is.

    Raises:
        EnvironmentFault: something is there; with ``force``: something that is no such export.
    """
    with environment_faults(target, "look at it"):
        try:
            mode = target.lstat().st_mode
        except FileNotFoundError:
            return
        is_export = _is_saved_model(target, mode) if is_directory else stat.S_ISREG(mode)
    if not force:
        raise EnvironmentFault(
            "it exists already",
            where=str(target),
            hint="--force replaces it; -o PATH names another place",
        )
    if not is_export:
        what = "a SavedModel" if is_directory else "a file"
        raise EnvironmentFault(
            f"it is not {what}, and --force replaces nothing else",
            where=str(target),
            hint="choose another place with -o PATH",
        )


def _is_saved_model(target: Path, mode: int) -> bool:
    """A directory with nothing in it that is not a SavedModel's: ``--force`` removes it."""
    if not stat.S_ISDIR(mode):
        return False
    names = {entry.name for entry in target.iterdir()}
    return "saved_model.pb" in names and names <= ENTRIES


@contextmanager
def directory_beside(target: Path) -> Iterator[Path]:
    """An empty directory that nobody else can enter, on the target's disk; removed at the end.

    What is loaded from it was written by this process: nobody can have exchanged it.

    Raises:
        EnvironmentFault: it cannot be made, or something in the block cannot be written.
    """
    with environment_faults(target, "write"):
        make_directory(target.parent)
        made, lock = _locked_directory(target.parent.absolute())
    try:
        with environment_faults(target, "write"):
            yield made
    finally:
        try:
            shutil.rmtree(made, ignore_errors=True)
        finally:
            os.close(lock)


def _locked_directory(parent: Path) -> tuple[Path, int]:
    """A new directory, and the descriptor by which it is locked, where the file system can."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=parent))
        lock = _opened_directory(made)
        try:
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            is_there = made.exists()
        except BaseException:
            os.close(lock)
            raise
        if is_there:
            return made, lock
        os.close(lock)  # another export took it for a leftover before it was locked


def _opened_directory(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def settle(directory: Path) -> None:
    """Remove what killed exports of this user left; a SavedModel that one had moved away is put back.

    What cannot be removed stays; what a living process is at work in, too.
    """
    with suppress(OSError):
        for path in sorted(directory.iterdir()):
            if _MADE.fullmatch(path.name):
                with suppress(OSError):
                    _settle_leftover(path)


def _settle_leftover(made: Path) -> None:
    descriptor = _opened_directory(made)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for replaced in made.glob(f"*{_REPLACED}"):
            target = made.with_name(replaced.name.removesuffix(_REPLACED))
            if not os.path.lexists(target):
                replaced.rename(target)
                flush_directory(target.parent)
        shutil.rmtree(made)
    finally:
        os.close(descriptor)


def put_in_place(made: Path, target: Path) -> None:
    """Flush the file or directory to the disk and give it its name; what was there goes into its place.

    A directory cannot replace another in one step: for an instant there is none, and a process
    that is killed then leaves it to ``settle`` to put the old one back.
    Raises ``OSError``; then what was there is there.
    """
    _flush(made)
    replaced = made.with_name(f"{made.name}{_REPLACED}")
    was_there = made.is_dir() and target.is_dir()
    if was_there:
        target.rename(replaced)
    try:
        made.replace(target)
    except BaseException:
        if was_there:
            with suppress(OSError):
                replaced.rename(target)
        raise
    flush_directory(target.parent)


def _flush(path: Path) -> None:
    if path.is_dir():
        for entry in path.iterdir():
            _flush(entry)
        flush_directory(path)
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
