"""Where something was written: a text, a line, a column; the way to a diagnostic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.errors import ARGUMENTS, Diagnostic

#: The line breaks that YAML's marks count.
LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
#: What YAML does not allow in a text (its printable set, negated).
NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Half a character: Python's stand-in for bytes that are no UTF-8; it cannot be written out.
SURROGATE = re.compile("[\ud800-\udfff]")
#: Problems of one text; where more is wrong, the rest is not told.
MAX_PROBLEMS = 100
#: A longer line is not shown under a diagnostic.
MAX_SHOWN_LINE = 500


@dataclass(frozen=True, slots=True, eq=False)
class SourceText:
    """A config file, an override or an expectation of the command line.

    Attributes:
        name: what the reader is told to look at: a path, ``override 2``, ``--expect 1``.
        lines: its text, by line, without line breaks.
        directory: relative paths written in it start here.
        order: diagnostics are sorted by it first.
        has_keys: its parts have config keys; an expectation of the command line has its
            name instead, and a position in the config's list would only be a second one.
    """

    name: str
    lines: tuple[str, ...]
    directory: Path
    order: int = 0
    has_keys: bool = True

    @classmethod
    def of(
        cls, name: str, text: str, directory: Path, order: int = 0, *, has_keys: bool = True
    ) -> SourceText:
        """A source of this text."""
        return cls(name, tuple(LINE_BREAK.split(text)), directory, order, has_keys)

    def shown_line(self, line: int) -> str:
        """The text of ``line`` (from 1), fit for a screen; "" if there is none."""
        if not 1 <= line <= len(self.lines):
            return ""
        text = self.lines[line - 1]
        return NOT_PRINTABLE.sub("\ufffd", text) if len(text) <= MAX_SHOWN_LINE else ""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a source; line 0 is the source as a whole."""

    source: SourceText
    line: int = 0
    column: int = 0
    length: int = 1

    @property
    def sort_key(self) -> tuple[int, int, int]:
        """Order of reading: files, overrides, expectations; then from top to bottom."""
        return (self.source.order, self.line, self.column)

    @property
    def where(self) -> str:
        """``configs/mine.yaml:7``; of an override, which is one line, ``override 2``."""
        is_argument = self.source.name.startswith(ARGUMENTS)
        return (
            self.source.name if is_argument or not self.line else f"{self.source.name}:{self.line}"
        )

    def diagnostic(
        self,
        message: str,
        *,
        key: tuple[str | int, ...] = (),
        severity: Literal["error", "warning"] = "error",
    ) -> Diagnostic:
        """A diagnostic that points here."""
        return Diagnostic(
            source=self.source.name,
            message=message,
            key=dotted(key) if self.source.has_keys else "",
            line=self.line,
            column=self.column,
            length=self.length,
            source_line=self.source.shown_line(self.line),
            severity=severity,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding about a config and its place, before it is put in order with others."""

    place: Place
    message: str
    key: tuple[str | int, ...] = ()
    severity: Literal["error", "warning"] = "error"

    def diagnostic(self) -> Diagnostic:
        """The same for the screen."""
        return self.place.diagnostic(self.message, key=self.key, severity=self.severity)


def dotted(key: tuple[str | int, ...]) -> str:
    """``("model", "layers", 0, "units")`` as overrides write it: model.layers.0.units."""
    return NOT_PRINTABLE.sub("\ufffd", ".".join(str(part) for part in key))


def summed_up(diagnostics: tuple[Diagnostic, ...]) -> str:
    """The first finding in one line, and how many more there are; for machines and logs."""
    first = diagnostics[0]
    text = f"{first.key}: {first.message}" if first.key else first.message
    return text if len(diagnostics) == 1 else f"{text} (and {len(diagnostics) - 1} more)"


def sorted_diagnostics(problems: list[Problem]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place; only the first one of equal texts at one place."""
    ordered = sorted(problems, key=lambda problem: problem.place.sort_key)
    return tuple(dict.fromkeys(problem.diagnostic() for problem in ordered))
