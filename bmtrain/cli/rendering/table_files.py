"""Tables for other programs: CSV and Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from bmtrain.cli.stream import Painted, Stream
from bmtrain.cli.typesetting import printable

TableFormat = Literal["table", "csv", "markdown", "json"]


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], stream: Stream) -> None:
    """RFC 4180, but for line ends: figures in full, what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    stream.write(Painted(printable(text.getvalue())))
    stream.flush()


def write_markdown(header: Sequence[str], rows: Iterable[Sequence[str]], stream: Stream) -> None:
    """A table as GitHub shows it: the first column on the left, the others on the right."""
    stream.line(_markdown_row(header))
    stream.line(_markdown_row([":--", *("--:" for _ in header[1:])]))
    for row in rows:
        stream.line(_markdown_row(row))


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


def _markdown_row(cells: Iterable[str]) -> str:
    escaped = (" ".join(str(cell).replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(escaped)} |"
