"""Why a file's bytes are no table: quotes that do not pair, line ends, bytes of no text.

Positions are looked for in the bytes, so that nothing in them can be in the way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bmtrain.data.raw.source import HeldFile
from bmtrain.errors import DataError

# Possessive (`++`, `*+`): a cell is matched in one way or not at all, in linear time.
# No group is possessive: Python's before 3.11.5 loses its place in one.
_QUOTED: Final = re.compile(rb'"[^"]*+(?:""[^"]*+)*"(?!")')
_SOUND_CELL: Final = re.compile(rb'(?:"[^"]*+(?:""[^"]*+)*"|[^",\r\n]*+)(?:[,\r\n]|\Z)')
_OTHER_SEPARATORS: Final = {";": "semicolon", "\t": "tab", "|": "vertical bar"}
_LONE_CR: Final = re.compile(rb"\r(?!\n)")
_MAX_SHOWN_BYTES: Final = 40


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a line; lines count from 1."""

    line: int
    message: str
    hint: str

    def error(self, path: Path | HeldFile) -> DataError:
        """The flaw as it is told."""
        return DataError(self.message, where=f"{path}, line {self.line}", hint=self.hint)


def nul_flaw(content: bytes) -> Flaw | None:
    """The first NUL byte, which Polars and Python take for a letter."""
    position = content.find(b"\0")
    if position < 0:
        return None
    return Flaw(
        _line_at(content, position),
        "there is a NUL byte, which no text has",
        "the file is damaged, or not UTF-8: save the table anew as CSV in UTF-8",
    )


def quoting_flaw(content: bytes) -> Flaw | None:
    """The first cell whose quotes are not around all of it, or never end (RFC 4180, section 2)."""
    start = 0
    while start < len(content) and (sound := _SOUND_CELL.match(content, start)):
        start = sound.end()
    if start == len(content):
        return None
    line = _line_at(content, start)
    quoted = _QUOTED.match(content, start)
    if content[start : start + 1] == b'"' and quoted is None:
        return Flaw(
            line,
            f"a quote is opened and not closed: {_cell(content, start, start)}",
            "close it; or, if it is part of the text, write it twice and quotes around the cell",
        )
    end = quoted.end() if quoted else start
    if (last_line := _line_at(content, end)) > line:
        return Flaw(
            line,
            f"a quote is opened and not closed: {_cell(content, start, start)} … "
            f"{_cell(content, end - 1, end)} in line {last_line}",
            "close it in its cell",
        )
    return Flaw(
        line,
        f"there is a quote in the middle of a cell: {_cell(content, start, end)}",
        'write it twice, and quotes around the cell: "5"" pipe"',
    )


def line_end_flaw(content: bytes) -> Flaw | None:
    """Carriage returns without a line feed: ends of lines to some programs, not to others."""
    lone = _LONE_CR.search(content)
    if lone is None:
        return None
    message = "the line ends in a carriage return alone (CR), as on old Macs"
    if b"\n" in content:
        message += ", and others in a line feed"
    return Flaw(
        _line_at(content, lone.start()),
        message,
        "save the table with a line feed (LF or CR LF) at the end of each line",
    )


def separator_flaw(names: list[str]) -> Flaw | None:
    """A header that is one name with another separator in it; ``names`` as commas part them."""
    counts = {kind: names[0].count(mark) for mark, kind in _OTHER_SEPARATORS.items()}
    kind = max(counts, key=lambda kind: counts[kind])
    if len(names) > 1 or not counts[kind]:
        return None
    kinds = kind if counts[kind] == 1 else f"{kind}s"
    return Flaw(
        1,
        f"the header has no comma but {counts[kind]:,} {kinds}: "
        "only comma-separated tables are read",
        "save the table with commas between the cells, and points in decimal numbers",
    )


def num_lines(content: bytes) -> int:
    """How many lines there are; the last needs no line feed."""
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def _line_at(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def _cell(content: bytes, start: int, end: int) -> str:
    """The text from ``start`` to the end of the cell that goes on at ``end``, shortened."""
    rest = content[end : end + _MAX_SHOWN_BYTES]
    stop = end + len(re.split(rb"[,\r\n]", rest, maxsplit=1)[0])
    return content[start:stop][:_MAX_SHOWN_BYTES].decode("utf-8", errors="replace")
