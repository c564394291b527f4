"""Opening what may be anything: a regular file is opened, a pipe, a device or a directory never.

A pipe keeps its reader waiting for a writer, a device can do something when it is merely
opened, and a link leads out of the directory that somebody was asked to trust.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NotRegular(Exception):
    """Something is there, and it is no regular file: a link, a pipe, a device, a directory."""


def open_regular(path: Path, flags: int = os.O_RDONLY, *, links: bool = False) -> int:
    """A descriptor of ``path``, which the caller closes.

    Args:
        path: a regular file; with ``O_CREAT`` it may be missing.
        flags: as ``os.open`` takes them.
        links: a link to a regular file will do: the path is the user's own.

    Raises:
        NotRegular: it is something else. OSError: it cannot be opened.
    """
    try:
        # Looked at before it is opened: opening can itself do something.
        _require_regular(path.stat() if links else os.lstat(path))
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    follow = 0 if links else os.O_NOFOLLOW
    descriptor = os.open(path, flags | follow | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o666)
    try:
        _require_regular(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def opened_regular(path: Path, *, links: bool = False) -> Iterator[tuple[int, int]]:
    """The descriptor and the size in bytes of a regular file, open for reading.

    Raises:
        NotRegular: it is something else. OSError: it cannot be opened.
    """
    descriptor = open_regular(path, links=links)
    try:
        yield descriptor, os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _require_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise NotRegular("not a regular file")
