"""What is used of a run directory is regular files and directories of its own.

The directory may be a stranger's. A link in it would be followed out of it, to be read or
written over; a pipe would keep the run waiting.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bmtrain.durable import environment_faults
from bmtrain.errors import CheckpointError
from bmtrain.regular_files import NotRegular, open_regular

_APPENDING = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def require_plain(files: tuple[Path, ...], directories: tuple[Path, ...]) -> None:
    """What is there of them is what it should be, and no link to that.

    Raises:
        CheckpointError: one is a link, a pipe, a device. EnvironmentFault: it cannot be seen.
    """
    for path in (*files, *directories):
        with environment_faults(path, "look at the run directory"):
            try:
                mode = os.lstat(path).st_mode
            except (FileNotFoundError, NotADirectoryError):
                continue
        if path in files and not stat.S_ISREG(mode):
            raise _refused(path)
        if path in directories and not stat.S_ISDIR(mode):
            raise CheckpointError("not a directory; links are refused", where=str(path))


def open_plain(path: Path, action: str, flags: int = _APPENDING) -> int:
    """A descriptor of a run's file, for appending if ``flags`` say nothing else; the caller closes it.

    Raises:
        CheckpointError: it is a link, a pipe, a device. EnvironmentFault: it cannot be opened.
    """
    with environment_faults(path, action):
        try:
            return open_regular(path, flags)
        except NotRegular:
            raise _refused(path) from None


def _refused(path: Path) -> CheckpointError:
    return CheckpointError("not a regular file; links and devices are refused", where=str(path))
