"""What a plugin's own code raises, as an error with its file and line."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from itertools import islice
from types import FrameType, TracebackType
from typing import Final

from bmtrain.errors import Diagnostic, PluginError

#: How the names of the modules begin that plugins are.
MODULE_PREFIX: Final = "bmtrain_plugin_"
_MAX_MESSAGE: Final = 400
#: Keras puts what a layer raises in bold, between the call and its arguments.
_INFERRED: Final = "Error encountered:"
_IN_KERAS: Final = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)


def plugin_fault(error: BaseException) -> PluginError | None:
    """The error in the innermost line of a plugin that it passed through; None: through none."""
    for cause in _chain(error):
        found = innermost(cause)
        if found is not None:
            return fault_at(found, raised_in_words(cause, found))
    return None


def innermost(error: BaseException) -> TracebackType | None:
    """The last step of its way that is a plugin's."""
    frame, last = error.__traceback__, None
    while frame is not None:
        if is_plugin(frame.tb_frame):
            last = frame
        frame = frame.tb_next
    return last


def is_plugin(frame: FrameType) -> bool:
    """Whether a plugin's code runs in it."""
    return str(frame.f_globals.get("__name__", "")).startswith(MODULE_PREFIX)


def raised_in_words(error: BaseException, at: TracebackType) -> str:
    """``ValueError: bad size (in build)``."""
    words = in_words(error)
    function = at.tb_frame.f_code.co_name
    return words if function == "<module>" else f"{words} (in {function})"


def in_words(error: BaseException) -> str:
    """``ValueError: bad size``."""
    text = str(error)
    if (inner := _IN_KERAS.search(text)) is not None:
        text = inner[1]
    text = text.rpartition(_INFERRED)[2]
    said = next((line.strip() for line in text.splitlines() if line.strip()), "")
    name = type(error).__name__
    return f"{name}: {said[:_MAX_MESSAGE]}" if said else name


def fault_at(at: TracebackType, message: str, hint: str | None = None) -> PluginError:
    """An error with a diagnostic of that line, and a caret under what was computed there."""
    code = at.tb_frame.f_code
    positions = next(islice(code.co_positions(), at.tb_lasti // 2, None), (None,) * 4)
    line, end_line, column, end_column = positions
    text = linecache.getline(code.co_filename, at.tb_lineno).rstrip("\n")
    start = length = 0
    if line == at.tb_lineno and column is not None:
        # Columns are counted in bytes.
        start = len(text.encode()[:column].decode(errors="replace")) + 1
        end = len(text.encode()[:end_column].decode(errors="replace")) if line == end_line else 0
        length = max(1, end - start + 1)
    return PluginError(
        message,
        hint=hint,
        diagnostics=[
            Diagnostic(
                source=code.co_filename,
                message=message,
                line=at.tb_lineno,
                column=start,
                length=length or 1,
                source_line=text,
            )
        ],
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__
