"""Opening what a checkpoint's directory holds: regular files in it, nothing that a link points to."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bmtrain.durable import environment_fault
from bmtrain.errors import CheckpointError
from bmtrain.regular_files import NotRegular, opened_regular

#: Not the checkpoint's fault: another one would fail as well.
_ENVIRONMENT = frozenset({errno.EACCES, errno.EPERM, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


@contextmanager
def opened(path: Path) -> Iterator[tuple[int, int]]:
    """The descriptor and the size in bytes of a regular file, open for reading.

    Raises:
        CheckpointError: missing, not a regular file (a link, a pipe, a device), unreadable.
        EnvironmentFault: permissions, or too many open files.
    """
    with reading(path), opened_regular(path) as (descriptor, size):
        yield descriptor, size


def require_directory(path: Path) -> None:
    """CheckpointError where a link stands for a directory. Raises ``OSError``."""
    if path.is_symlink():
        raise CheckpointError("a link, not a directory; links are refused", where=str(path))


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what goes wrong in reading ``path`` into errors that name it.

    ``ValueError`` means that the content is not what it should be.
    """
    try:
        yield
    except NotRegular:
        raise CheckpointError(
            "not a regular file; links and devices are refused", where=str(path)
        ) from None
    except ValueError as error:
        raise CheckpointError(f"damaged: {error}", where=str(path)) from None
    except OSError as error:
        if error.errno in _ENVIRONMENT:
            raise environment_fault(error, path, "read the checkpoint") from error
        reason = "it is missing" if error.errno == errno.ENOENT else error.strerror
        hint = "check the disk" if error.errno == errno.EIO else None
        raise CheckpointError(f"cannot be read: {reason}", where=str(path), hint=hint) from error
