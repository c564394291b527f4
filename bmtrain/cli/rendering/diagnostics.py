"""Findings with a place, shown like a compiler's, for people, for JSON and for GitHub.

::

    configs/mine.yaml:7:3: error: optimizer.learning_rte: unknown key; did you mean 'learning_rate'?
      7 |   learning_rte: 0.01
        |   ^^^^^^^^^^^^
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bmtrain.cli.stream import Painted, Stream, Style
from bmtrain.cli.typesetting import columns, printable
from bmtrain.errors import ARGUMENTS, Diagnostic
from bmtrain.figures import count


def place(diagnostic: Diagnostic) -> str:
    """``file:line:column``, as far as it is known."""
    if not _line_in_file(diagnostic):
        return diagnostic.source
    if not diagnostic.column:
        return f"{diagnostic.source}:{diagnostic.line}"
    return f"{diagnostic.source}:{diagnostic.line}:{diagnostic.column}"


def headline(diagnostic: Diagnostic) -> str:
    """``key: message``."""
    return f"{diagnostic.key}: {diagnostic.message}" if diagnostic.key else diagnostic.message


def show_diagnostic(diagnostic: Diagnostic, stream: Stream) -> None:
    """One finding, and under it its line of the source with a caret."""
    style: Style = "red" if diagnostic.severity == "error" else "yellow"
    where, severity = f"{place(diagnostic)}: ", f"{diagnostic.severity}: "
    start = Painted(stream.paint(where, "bold") + stream.paint(severity, style))
    if stream.is_terminal and columns(where) % stream.width + columns(severity) > stream.width:
        # A path stays whole, for the terminal to break; no other word does.
        stream.line(stream.paint(where.rstrip(), "bold"))
        start = Painted("  " + stream.paint(severity, style))
    stream.hanging(start, columns(start), headline(diagnostic))
    if not diagnostic.source_line.strip():
        return
    number = str(_line_in_file(diagnostic) or "")
    gutter = " " * len(number)
    text, carets = _underlined(diagnostic, room=stream.width - len(number) - 5, dots="...")
    stream.line(stream.paint(f"  {number} | ", "dim"), text)
    if carets:
        stream.line(stream.paint(f"  {gutter} | ", "dim"), stream.paint(carets, style))


def counted(diagnostics: Sequence[Diagnostic]) -> str:
    """``2 errors, 1 warning``."""
    num_errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    num_warnings = len(diagnostics) - num_errors
    parts = [count(num_errors, "error")] if num_errors else []
    parts += [count(num_warnings, "warning")] if num_warnings else []
    return ", ".join(parts)


def diagnostic_document(diagnostic: Diagnostic) -> dict[str, Any]:
    """The finding as JSON takes it: the fields of ``Diagnostic``."""
    return asdict(diagnostic)


def github_line(diagnostic: Diagnostic, hint: str | None = None) -> str:
    """A workflow command that GitHub turns into an annotation of the file; it ends in the hint."""
    properties = {"title": "bmtrain"}
    line = _line_in_file(diagnostic)
    if line:
        properties |= {"file": diagnostic.source, "line": str(line)}
    if line and diagnostic.column:
        end = diagnostic.column + max(diagnostic.length, 1)
        properties |= {"col": str(diagnostic.column), "endColumn": str(end)}
    message = headline(diagnostic)
    if not line:
        message = f"{diagnostic.source}: {message}"
    if hint:
        message += f"\nhint: {hint}"
    return github_command(diagnostic.severity, message, **properties)


def github_command(level: str, message: str, **properties: str) -> str:
    """``::error file=…,line=…::message``, escaped as GitHub reads it."""
    listed = ",".join(f"{name}={_escaped(value, ',:')}" for name, value in properties.items())
    return f"::{level}{' ' if listed else ''}{listed}::{_escaped(message)}"


def _line_in_file(diagnostic: Diagnostic) -> int:
    """The line; 0 for what has none or is only one: an override, an expectation."""
    is_argument = diagnostic.source.startswith(ARGUMENTS)
    return 0 if is_argument else diagnostic.line


def _escaped(text: str, separators: str = "") -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    for separator in separators:
        text = text.replace(separator, f"%{ord(separator):02X}")
    return text


def _underlined(diagnostic: Diagnostic, *, room: int, dots: str) -> tuple[str, str]:
    """The source line as far as it fits, and carets under the finding ("" without a column)."""
    line = diagnostic.source_line.rstrip("\r\n")
    start = max(diagnostic.column - 1, 0)
    stop = min(start + max(diagnostic.length, 1), max(len(line), start + 1))
    room = max(room, 2 * len(dots) + 4)
    left, right = 0, len(line)
    if _columns(line) > room:
        # A window around the finding, a third of it before: the key that a value belongs to.
        inside = room - 2 * len(dots)
        left = max(0, start - inside // 3)
        right = min(len(line), left + inside)
        stop = min(stop, max(right, start + 1))
    before = dots if left else ""
    after = dots if right < len(line) else ""
    text = before + printable(line[left:right]) + after
    if not diagnostic.column:
        return text, ""
    indent = len(before) + _columns(line[left:start])
    return text, " " * indent + "^" * max(_columns(line[start:stop]), 1)


def _columns(text: str) -> int:
    """Terminal columns of the text as :func:`printable` shows it."""
    return columns(printable(text))
