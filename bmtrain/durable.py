"""Files that are there whole or not at all, after any crash.

The protocol: a temporary file beside the target, written, flushed to the disk,
renamed over the target, and the directory flushed, so that the rename itself
survives a power failure. Every ``OSError`` becomes an ``EnvironmentFault`` that
names the path and says what to do.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bmtrain.errors import EnvironmentFault

_TEMPORARY_PREFIX = ".bmtrain-"
_TEMPORARY_SUFFIX = ".tmp"

#: Of some network file systems; there is nothing else that could be done.
_CANNOT_FLUSH_DIRECTORIES = {errno.EINVAL, errno.ENOTSUP}

#: Of file systems without hard links.
_CANNOT_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}

#: errno -> (what is wrong, what to do).
_ADVICE = {
    errno.ENOSPC: ("the disk is full", "free some space, or choose another place"),
    errno.EDQUOT: ("your disk quota is used up", "free some space, or choose another place"),
    errno.EFBIG: ("the file is larger than is allowed here", "choose another place"),
    errno.EROFS: ("the file system is read-only", "choose a place that can be written to"),
    errno.EACCES: ("permission denied", "change its permissions, or choose another place"),
    errno.EPERM: ("operation not permitted", "change its permissions, or choose another place"),
    errno.EIO: ("the device reports an input/output error", "check the disk"),
    errno.ENOENT: ("no such file or directory", "make the directory first, or check the path"),
    errno.ENOTDIR: ("a part of the path is not a directory", "check the path"),
    errno.EISDIR: ("it is a directory", "give the path of a file"),
    errno.EEXIST: ("it exists already", "choose another name, or remove it"),
    errno.ENOTEMPTY: ("it exists already and is not empty", "choose another name, or remove it"),
    errno.ENAMETOOLONG: ("the name is too long", "choose a shorter one"),
    errno.ELOOP: ("too many symbolic links", "check the path"),
    errno.EMFILE: ("too many open files", "raise the limit (ulimit -n)"),
    errno.ENFILE: ("too many open files on this machine", "close some programs"),
    errno.ENOMEM: ("out of memory", "close some programs"),
    errno.ENOLCK: ("this file system does not support locks", "choose a local disk"),
}


def environment_fault(error: OSError, path: Path, action: str) -> EnvironmentFault:
    """The fault for ``error``, which came up when ``action`` ("write", "read") was done."""
    reason, hint = _ADVICE.get(error.errno or 0, (error.strerror or str(error), None))
    return EnvironmentFault(f"cannot {action}: {reason}", where=str(path), hint=hint)


@contextmanager
def environment_faults(path: Path, action: str) -> Iterator[None]:
    """Turns an ``OSError`` inside the block into an ``EnvironmentFault`` about ``path``."""
    try:
        yield
    except OSError as error:
        raise environment_fault(error, path, action) from error


def write_all(descriptor: int, content: bytes | memoryview) -> None:
    """``os.write`` until everything is written; it may write less than it was given."""
    rest = memoryview(content).cast("B")
    while len(rest):
        rest = rest[os.write(descriptor, rest) :]


def write_new_file(path: Path, content: bytes) -> None:
    """Creates ``path``, which must not exist, and flushes its content to the disk.

    Raises:
        OSError: for the caller, who knows what the file is a part of.
    """
    with _new_file(path) as descriptor:
        write_all(descriptor, content)


@contextmanager
def _new_file(path: Path, mode: int = 0) -> Iterator[int]:
    """Its descriptor; it is on the disk when the block ends. ``mode`` 0: the default mode."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        if mode:
            with suppress(OSError):  # a file of somebody else's: the default mode will do
                os.fchmod(descriptor, mode)
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_directory(path: Path) -> None:
    """Makes the names in a directory survive a power failure, where the file system can.

    Raises ``OSError``.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH_DIRECTORIES:
            raise
    finally:
        os.close(descriptor)


def require_no_file(path: Path) -> None:
    """EnvironmentFault where ``path``, or what is to be above it, is there and no directory."""
    there = next(entry for entry in (path, *path.absolute().parents) if os.path.lexists(entry))
    if there.exists() and not there.is_dir():
        what = "it is a file" if there == path else f"{there} is no directory"
        raise EnvironmentFault(what, where=str(path), hint="choose another place")


def make_directory(path: Path) -> None:
    """Makes ``path``, and what is missing above it; their names survive a power failure.

    Where it is there, its name is flushed all the same: whoever made it may have been
    killed before that. Raises ``OSError``.
    """
    if not path.is_dir():
        if not path.parent.is_dir():
            make_directory(path.parent)
        path.mkdir(exist_ok=True)
    with suppress(PermissionError):  # one that may be written to and not read
        flush_directory(path.parent)


@contextmanager
def replacing(path: Path, *, links: bool = True) -> Iterator[BinaryIO]:
    """Opens a file for writing that takes ``path``'s place when the block ends well.

    When the block raises, or the machine stops, ``path`` is what it was before.

    Args:
        path: absent, or what is replaced; not a directory.
        links: where the user may have pointed ``path`` elsewhere. A symbolic link stays
            one: its target is replaced. A device or a pipe (``/dev/stdout``) is written
            to directly. False replaces whatever is there, and touches nothing else.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    with (
        _replacing(path, links=links) as descriptor,
        os.fdopen(descriptor, "wb", closefd=False) as file,
    ):
        yield file


@contextmanager
def _replacing(path: Path, *, links: bool) -> Iterator[int]:
    """As ``replacing``, with a descriptor."""
    try:
        mode = path.stat(follow_symlinks=links).st_mode
    except OSError:
        mode = stat.S_IFREG | 0  # absent or unreachable: opening says which
    if stat.S_ISDIR(mode):
        raise environment_fault(IsADirectoryError(errno.EISDIR, ""), path, "write")
    if links and not stat.S_ISREG(mode):
        with environment_faults(path, "write"), path.open("wb", buffering=0) as device:
            yield device.fileno()
        return
    target = Path(os.path.realpath(path)) if links else path
    mode = stat.S_IMODE(mode) if stat.S_ISREG(mode) else 0
    temporary = target.parent / f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}"
    try:
        with environment_faults(path, "write"):
            with _new_file(temporary, mode) as descriptor:
                yield descriptor
            temporary.replace(target)
            flush_directory(target.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_bytes(path: Path, content: bytes, *, links: bool = True) -> None:
    """Replaces ``path`` by ``content``, whole or not at all. Raises ``EnvironmentFault``."""
    with _replacing(path, links=links) as descriptor:
        write_all(descriptor, content)


def write_text(path: Path, text: str, *, links: bool = True) -> None:
    """Replaces ``path`` by ``text`` in UTF-8, whole or not at all. Raises ``EnvironmentFault``."""
    write_bytes(path, text.encode(), links=links)


def write_new_text(path: Path, text: str) -> None:
    """Creates ``path``, whole or not at all; what is there already is never replaced.

    A temporary file gets its name by ``link``, which fails where there is one. Where the file
    system has no links, it is renamed after a look.

    Raises:
        EnvironmentFault: it exists, as a link that leads nowhere too, or cannot be written.
    """
    temporary = path.parent / f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}"
    try:
        with environment_faults(path, "write"):
            write_new_file(temporary, text.encode())
            try:
                os.link(temporary, path)
            except OSError as error:
                if error.errno not in _CANNOT_LINK:
                    raise
                if os.path.lexists(path):
                    raise FileExistsError(errno.EEXIST, "") from None
                temporary.rename(path)
            flush_directory(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink()


def is_leftover(name: str) -> bool:
    """Whether a file is called as those are that ``remove_leftovers`` removes."""
    return name.startswith(_TEMPORARY_PREFIX) and name.endswith(_TEMPORARY_SUFFIX)


def remove_leftovers(directory: Path) -> None:
    """Removes the temporary files that killed writers left in ``directory``.

    Raises:
        EnvironmentFault: it cannot be read or written.
    """
    with environment_faults(directory, "clean up"):
        for path in list(directory.glob(f"{_TEMPORARY_PREFIX}*{_TEMPORARY_SUFFIX}")):
            path.unlink()
