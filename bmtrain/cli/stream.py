"""One text stream: what its reader can show, and what may become of it.

Control characters never reach a terminal unless they are our own colours.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOBase
from typing import Literal, TextIO

from bmtrain.cli.typesetting import hang_of, printable, with_whole_commands, wrapped
from bmtrain.errors import EnvironmentFault

Style = Literal["bold", "dim", "red", "green", "yellow"]

_SGR: Mapping[Style, str] = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


@dataclass(frozen=True, slots=True)
class Symbols:
    """The few characters beyond ASCII that the screen uses, or what stands for them."""

    ok: str
    warning: str
    error: str
    rule: str
    filled: str
    empty: str
    times: str
    dots: str
    none: str


UNICODE = Symbols("✔", "⚠", "✘", "─", "━", "─", "×", "…", "–")
ASCII = Symbols("[ok]", "[!]", "[x]", "-", "#", ".", "x", "...", "-")


class Painted(str):
    """Text that is safe to print as it is: no control characters but our own colours."""

    __slots__ = ()


class Stream(TextIOBase):
    """A text stream that knows what its reader can show, and that no reader can break.

    Args:
        file: where the text goes; None: nowhere.
        must_arrive: a failing write (other than a closed pipe) is an EnvironmentFault.
    """

    def __init__(self, file: TextIO | None, *, must_arrive: bool = False) -> None:
        super().__init__()
        self._file = file
        self._must_arrive = must_arrive
        self._is_closed_from_start = file is None
        self._has_lost = False
        self._transient = False
        #: The stream whose lines a terminal shows between those of this one.
        self.beside: Stream | None = None
        self.is_terminal = _is_terminal(file)
        is_dumb = os.environ.get("TERM", "") in {"", "dumb", "unknown"}
        self.is_live = self.is_terminal and not is_dumb
        self.has_color = self.is_live and not os.environ.get("NO_COLOR")
        self.symbols = UNICODE if _can_show(file, "✔⚠✘─━×…–") else ASCII

    @property
    def width(self) -> int:
        """Columns of the terminal now, or ``COLUMNS``, or 80."""
        if (columns := _asked_columns()) is not None:
            return columns
        if self.is_terminal and self._file is not None:
            with suppress(OSError, ValueError):
                return os.get_terminal_size(self._file.fileno()).columns or 80
        return (
            80 if self._file is None or not self.is_terminal else shutil.get_terminal_size().columns
        )

    @property
    def has_width(self) -> bool:
        """Whether a table must fit something: a terminal, or the ``COLUMNS`` that are asked for."""
        return self.is_terminal or _asked_columns() is not None

    @property
    def live_width(self) -> int:
        """Columns for a line that is taken away again: a ``^C`` typed behind it must fit too."""
        return max(self.width - 3, 1)

    def isatty(self) -> bool:
        """Whether somebody sits before it."""
        return self.is_terminal

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, text: str) -> int:
        """Write; what the encoding lacks is escaped, a reader that is gone is let go."""
        if self._file is None:
            self._has_lost |= self._is_closed_from_start
            return len(text)
        if self.beside is not None:
            self.beside.clear()
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        try:
            self._file.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError) as error:
            self.failed(error)
        return len(text)

    def flush(self) -> None:
        """Hand everything written to the reader, now."""
        if self._file is None:
            return
        try:
            self._file.flush()
        except (OSError, ValueError) as error:
            self.failed(error)

    def require_arrived(self) -> None:
        """EnvironmentFault, once, where something was written that had nowhere to go."""
        if self._must_arrive and self._has_lost:
            self._must_arrive = False
            raise EnvironmentFault(
                "the result cannot be written to stdout: it is closed",
                hint="what was asked for is done, but its result did not arrive",
            )

    def printable(self, text: str) -> str:
        """The text as this reader can show it: no control characters, ASCII if need be."""
        return printable(text, plain=self.symbols is ASCII)

    def paint(self, text: str, style: Style | None = None) -> Painted:
        """The text made printable, in a style if the reader shows colours."""
        safe = self.printable(text)
        if style is None or not self.has_color or not safe:
            return Painted(safe)
        return Painted(f"\x1b[{_SGR[style]}m{safe}\x1b[0m")

    def line(self, *parts: str) -> None:
        """Write the parts and a line end; parts that are not painted are made printable."""
        self.clear()
        safe = (part if isinstance(part, Painted) else self.printable(part) for part in parts)
        whole = "".join(safe)
        self.write(whole + "\n")
        self.flush()

    def hanging(self, start: Painted, columns: int, text: str, style: Style | None = None) -> None:
        """``start`` and the text behind it; on a terminal its lines fit, and hang where it began.

        Args:
            start: what the text belongs to.
            columns: how wide that is.
            text: one or more lines.
            style: the text's.
        """
        begins, hang = columns, columns
        for line in text.splitlines() or [""]:
            parts = [self.printable(line)]
            if self.is_terminal:
                words = with_whole_commands(parts[0])
                hang = hang_of(words, self.width, columns)
                parts = wrapped(words, self.width, begins=begins, hang=hang)
            for part in parts:
                self.line(start, self.paint(part, style))
                start = Painted(" " * hang)
            begins = hang

    def paragraph(self, text: str, style: Style | None = None) -> None:
        """The text in lines that fit a terminal."""
        self.hanging(Painted(""), 0, text, style)

    def show_for_now(self, text: str) -> None:
        """Show one line that the next one replaces; only on a live terminal."""
        if not self.is_live:
            return
        self._transient = True
        self.write("\r\x1b[2K" + self.printable(text)[: self.live_width])
        self.flush()

    def clear(self) -> None:
        """Take away what was only shown for now."""
        if self._transient:
            self._transient = False
            self.write("\r\x1b[2K")
            self.flush()

    def release(self) -> None:
        """Close the file; what is written later goes nowhere."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError, ValueError):
                file.close()

    def abandon(self) -> None:
        """Write nowhere from now on; what is still buffered must not fail at exit either."""
        file, self._file = self._file, None
        with suppress(OSError, ValueError, AttributeError):
            descriptor = file.fileno()  # type: ignore[union-attr]  # None: AttributeError
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)

    def failed(self, error: OSError | ValueError) -> None:
        """Write nowhere from now on; EnvironmentFault where what was written must arrive."""
        self.abandon()
        is_gone = isinstance(error, BrokenPipeError) or (
            # What a terminal says that was closed.
            self.is_terminal and isinstance(error, OSError) and error.errno == errno.EIO
        )
        if self._must_arrive and isinstance(error, OSError) and not is_gone:
            raise EnvironmentFault(
                f"the result cannot be written to stdout: {error.strerror}",
                hint="what was asked for is done, but its result did not arrive",
            ) from error


def _asked_columns() -> int | None:
    """What ``COLUMNS`` says, if it is a usable number."""
    columns = os.environ.get("COLUMNS", "")
    is_number = columns.isascii() and columns.isdigit() and len(columns) < 5
    return int(columns) or None if is_number else None


def _is_terminal(file: TextIO | None) -> bool:
    try:
        return file is not None and file.isatty()
    except (OSError, ValueError):
        return False


def _can_show(file: TextIO | None, characters: str) -> bool:
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG")
    if locale in {"C", "POSIX"}:
        # Python speaks UTF-8 even then; the user asked for plain characters.
        return False
    try:
        characters.encode(getattr(file, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
