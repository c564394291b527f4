"""Tables of figures that fit the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmtrain.cli.stream import Stream
from bmtrain.cli.typesetting import columns, printable


def show_table(header: Sequence[str], rows: Iterable[Sequence[str]], stream: Stream) -> None:
    """A table: the first column on the left, figures on the right, as wide as they need.

    Where it is wider than the stream, each row becomes a block of ``name value`` lines.
    """
    header = [stream.printable(name) for name in header]
    rows = [[stream.printable(cell) for cell in row] for row in rows]
    gap = 2 if table_width(header, rows) <= stream.width else 1
    if table_width(header, rows, gap) > stream.width:
        _show_blocks(header, rows, stream)
        return
    from rich.table import Table  # --help needs none of it
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for index, name in enumerate(header):
        table.add_column(Text(name), justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    stream.clear()
    stream.rich().print(table)
    stream.flush()


def table_width(header: Sequence[str], rows: Sequence[Sequence[str]], gap: int = 2) -> int:
    """Columns of the terminal that the table takes."""
    from rich.cells import cell_len

    widths = [
        max(cell_len(printable(cell)) for cell in column)
        for column in zip(header, *rows, strict=True)
    ]
    return sum(widths) + gap * (len(widths) - 1)


def _show_blocks(header: Sequence[str], rows: Sequence[Sequence[str]], stream: Stream) -> None:
    for row in rows:
        stream.line(stream.paint(row[0], "bold"))
        for name, cell in zip(header[1:], row[1:], strict=True):
            if cell:
                start = f"  {name} "
                stream.hanging(stream.paint(start, "dim"), columns(start), cell)
