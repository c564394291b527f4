"""Tables of figures that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmtrain.cli.stream import Painted, Stream
from bmtrain.cli.typesetting import columns, printable


def show_table(header: Sequence[str], rows: Iterable[Sequence[str]], stream: Stream) -> None:
    """A table: the first column on the left, figures on the right, as wide as they need.

    Where it is wider than the stream, each row becomes a block of ``name value`` lines, under
    what the first column has.
    """
    header = [stream.printable(name) for name in header]
    rows = [[stream.printable(cell) for cell in row] for row in rows]
    gap = 2 if table_width(header, rows) <= stream.width else 1
    if table_width(header, rows, gap) > stream.width:
        _show_blocks(header, rows, stream)
        return
    widths = _widths(header, rows)
    lines = [_line(row, widths, gap) for row in (header, *rows)]
    stream.line(Painted("\n".join([stream.paint(lines[0], "dim"), *lines[1:]])))


def table_width(header: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2) -> int:
    """Columns of the terminal that the table takes."""
    widths = _widths(header, rows)
    return sum(widths) + gap * (len(widths) - 1)


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    cells = zip(header, *rows, strict=True)
    return [max(columns(printable(cell)) for cell in column) for column in cells]


def _line(row: Sequence[str], widths: Sequence[int], gap: int) -> str:
    padding = [" " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
    first, *others = row
    figures = (f"{pad}{cell}" for pad, cell in zip(padding[1:], others, strict=True))
    return (" " * gap).join([first + padding[0], *figures])


def _show_blocks(header: Sequence[str], rows: Sequence[Sequence[str]], stream: Stream) -> None:
    if header[0]:
        stream.line(stream.paint(header[0], "dim"))
    for row in rows:
        stream.line(stream.paint(row[0], "bold"))
        for name, cell in zip(header[1:], row[1:], strict=True):
            if cell:
                start = f"  {name} "
                stream.hanging(stream.paint(start, "dim"), columns(start), cell)
