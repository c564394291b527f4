"""One text stream: what its reader can show, and what may become of it.

Control characters never reach a terminal unless they are our own colours.
"""

from __future__ import annotations

import errno
import os
import shutil
import textwrap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOBase
from typing import IO, TYPE_CHECKING, Literal, TextIO, cast

from bmtrain.errors import EnvironmentFault

if TYPE_CHECKING:
    from rich.console import Console

Style = Literal["bold", "dim", "red", "green", "yellow"]

_SGR: Mapping[Style, str] = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
#: Beside an indent, text in fewer columns than this is harder to read than overflowing text.
_NARROWEST_COLUMN = 16
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 10}


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


UNICODE = Symbols("✔", "⚠", "✘", "─", "━", "─", "×", "…")
ASCII = Symbols("[ok]", "[!]", "[x]", "-", "#", ".", "x", "...")


class Painted(str):
    """Text that is safe to print as it is: no control characters but our own colours."""

    __slots__ = ()


def printable(text: str) -> str:
    r"""The text with control characters written out (``\x1b``); new lines stay, tabs are blanks."""
    return text.replace("\t", "    ").translate(_CONTROL)


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
        self._transient = False
        self.is_terminal = _is_terminal(file)
        is_dumb = os.environ.get("TERM", "") in {"", "dumb", "unknown"}
        self.is_live = self.is_terminal and not is_dumb
        self.has_color = self.is_live and not os.environ.get("NO_COLOR")
        self.symbols = UNICODE if _can_show(file, "✔⚠✘─━×…") else ASCII

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here: it says what can be shown
        """What Rich chooses its characters by."""
        return "ascii" if self.symbols is ASCII else "utf-8"

    @property
    def width(self) -> int:
        """Columns of the terminal now, or ``COLUMNS``, or 80."""
        columns = os.environ.get("COLUMNS", "")
        if columns.isascii() and columns.isdigit() and 0 < int(columns) < 10_000:
            return int(columns)
        if self.is_terminal and self._file is not None:
            with suppress(OSError, ValueError):
                return os.get_terminal_size(self._file.fileno()).columns or 80
        return (
            80 if self._file is None or not self.is_terminal else shutil.get_terminal_size().columns
        )

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
            return len(text)
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        try:
            self._file.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError) as error:
            self._failed(error)
        return len(text)

    def flush(self) -> None:
        """Hand everything written to the reader, now."""
        if self._file is None:
            return
        try:
            self._file.flush()
        except (OSError, ValueError) as error:
            self._failed(error)

    def paint(self, text: str, style: Style | None = None) -> Painted:
        """The text made printable, in a style if the reader shows colours."""
        safe = printable(text)
        if style is None or not self.has_color or not safe:
            return Painted(safe)
        return Painted(f"\x1b[{_SGR[style]}m{safe}\x1b[0m")

    def line(self, *parts: str) -> None:
        """Write the parts and a line end; parts that are not painted are made printable."""
        self.clear()
        whole = "".join(part if isinstance(part, Painted) else printable(part) for part in parts)
        self.write(whole + "\n")
        self.flush()

    def fitted(self, text: str, indent: int) -> list[str]:
        """The text as lines that fit a terminal behind ``indent`` columns, words whole."""
        lines = text.splitlines() or [""]
        room = self.width - indent
        if not self.is_terminal or room < _NARROWEST_COLUMN:
            return lines
        wrapper = textwrap.TextWrapper(room, break_long_words=False, break_on_hyphens=False)
        return [part for line in lines for part in wrapper.wrap(line) or [""]]

    def hanging(self, start: Painted, columns: int, text: str) -> None:
        """``start``, which is ``columns`` wide, and the text behind it, all its lines there."""
        first, *others = self.fitted(text, columns)
        self.line(start, first)
        for other in others:
            self.line(" " * columns, other)

    def show_for_now(self, text: str) -> None:
        """Show one line that the next one replaces; only on a live terminal."""
        if not self.is_live:
            return
        self._transient = True
        self.write("\r\x1b[2K" + printable(text)[: self.live_width])
        self.flush()

    def clear(self) -> None:
        """Take away what was only shown for now."""
        if self._transient:
            self._transient = False
            self.write("\r\x1b[2K")
            self.flush()

    def rich(self) -> Console:
        """A Rich console that writes here."""
        from rich.console import Console  # 40 ms, and --help needs none of it

        return Console(
            file=cast("IO[str]", self),
            force_terminal=self.has_color,
            no_color=not self.has_color,
            width=self.width,
            highlight=False,
            markup=False,
            emoji=False,
        )

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

    def _failed(self, error: OSError | ValueError) -> None:
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
