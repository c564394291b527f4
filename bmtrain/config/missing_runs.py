"""A run or checkpoint that is named and is not there: the same words from every command."""

from __future__ import annotations

import difflib
import os
from contextlib import suppress
from pathlib import Path

from bmtrain.errors import UsageError
from bmtrain.program import program


def require_there(path: Path) -> None:
    """Something of that name exists; what it is, is not looked at.

    Raises:
        UsageError: nothing does, with the nearest name beside it.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError("no such directory", where=str(path), hint=_beside(path)) from None
    except OSError:
        return  # whoever opens it says why it cannot be seen


def _beside(path: Path) -> str:
    with suppress(OSError):
        names = [entry.name for entry in path.parent.iterdir() if entry.is_dir()]
        if near := difflib.get_close_matches(path.name, names, n=1):
            return f"did you mean '{path.with_name(near[0])}'?"
    return f"`{program()} runs` lists the runs"
