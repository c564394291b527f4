"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

from pathlib import Path

from bmtrain.data.raw.columns import Beside, Column, are_all_numbers
from bmtrain.data.raw.source import HeldFile, Place, RawPart
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.column_names import names_wanted, require_columns
from bmtrain.data.tables.csv_cells import read_sound_table, read_table
from bmtrain.data.tables.csv_rows import header_hint, line_of_row, read_header
from bmtrain.data.tables.table_values import as_part, columns_and_texts


def read_table_part(
    path: Path | HeldFile, columns: tuple[Column, ...], beside: Beside, *, may_leave_out: bool
) -> RawPart:
    """The ``columns`` and those ``beside`` them; others are not looked at.

    Features are a float32 array (examples, columns) where all hold a number in each row.
    """
    names = read_header(path)
    require_columns(names_wanted(columns, beside), names, str(path), header_hint(names))
    wanted = (*columns, *beside.numbers)
    if are_all_numbers(wanted):
        numbers = tuple(column.name for column in wanted)
        parsed = read_sound_table(path, names, numbers, beside.texts)
        if parsed is not None:
            place = Place(str(path), lambda row: line_of_row(path, row))
            return as_part(*parsed, beside, place)
    table = read_table(path, names)
    found = columns_and_texts(table, wanted, beside.texts, may_leave_out=may_leave_out)
    return as_part(*found, beside, table.place)


def read_cells(path: Path) -> Cells:
    """All cells as texts; DataError, with its line if there is one, where the file is no table."""
    return read_table(path, read_header(path))
