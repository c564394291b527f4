"""Calls to the file system that fail, write less than asked, or never return: the process is gone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

#: Every call of ``os`` through which bmtrain reaches files; one that is not made costs nothing.
CALLS = (
    *("open", "close", "write", "pwrite", "read", "pread", "preadv", "ftruncate", "truncate"),
    *("fsync", "fdatasync", "mkdir", "rmdir", "rename", "replace", "unlink", "remove", "link"),
    *("symlink", "readlink", "listdir", "scandir", "lstat", "stat", "fstat", "fchmod", "chmod"),
)

#: Those that change nothing, and so cannot fail for want of space or leave to write.
READS_BY_PATH = {"open to read", "readlink", "listdir", "scandir", "lstat", "stat"}
READS = READS_BY_PATH | {"close", "read", "pread", "preadv", "fstat"}

#: error: the call fails. killed: the process ends before it. torn: it ends in the middle
#: of a write. short: a write takes half, and the next one fails.
Kind = Literal["error", "killed", "torn", "short"]


class Killed(BaseException):
    """The process is gone: nothing after it runs."""


class Faults:
    """Counts calls of ``os``; the one numbered ``fail_at`` goes wrong, and after a kill all do."""

    def __init__(self, fail_at: int, kind: Kind, number: int) -> None:
        self.made: list[str] = []
        self._fail_at = fail_at
        self._kind = kind
        self._number = number

    def call(self, name: str, real: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if name == "open" and not args[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            name = "open to read"
        self.made.append(name)
        late = len(self.made) - 1 - self._fail_at
        if name == "close":  # Linux closes even when it reports an error, or kills
            real(*args, **kwargs)
            if late == 0 and self._kind == "error":
                raise self._error()
            return None
        if self._kind == "short" and late == 0:
            self._fail_at, self._kind = self._next_write(), "error"
            return real(args[0], args[1][: max(1, len(args[1]) // 2)])
        if self._kind == "torn" and late == 0:
            real(args[0], args[1][: len(args[1]) // 2])
        if late == 0 or (late > 0 and self._kind in {"killed", "torn"}):
            raise self._error() if self._kind == "error" else Killed
        return real(*args, **kwargs)

    def _next_write(self) -> int:
        """``write_all`` writes the rest at once."""
        return len(self.made)

    def _error(self) -> OSError:
        return OSError(self._number, os.strerror(self._number))


@contextmanager
def faults_in(fail_at: int, kind: Kind = "error", number: int = errno.EIO) -> Iterator[Faults]:
    """Inside, the call numbered ``fail_at`` goes wrong in the way ``kind`` says.

    Flushing is counted and may fail, but a thousand saves do not wait for the disk.
    """
    faults = Faults(fail_at, kind, number)

    def wrapped(name: str) -> Callable[..., Any]:
        real = getattr(os, name) if name != "fsync" else lambda _descriptor: None
        return lambda *args, **kwargs: faults.call(name, real, args, kwargs)

    with pytest.MonkeyPatch.context() as patched:
        for name in CALLS:
            patched.setattr(os, name, wrapped(name))
        yield faults
