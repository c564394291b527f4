"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

from pathlib import Path

from bmtrain.data.cells import Cells
from bmtrain.data.column_names import names_wanted, require_columns
from bmtrain.data.columns import Column, are_all_numbers
from bmtrain.data.csv_cells import read_sound_table, read_table
from bmtrain.data.csv_rows import header_hint, line_of_row, read_header
from bmtrain.data.source import HeldFile, Place, RawPart
from bmtrain.data.table_values import features_and_labels


def read_table_part(
    path: Path | HeldFile, columns: tuple[Column, ...], label: str | None, *, may_leave_out: bool
) -> RawPart:
    """The ``columns``, and ``label`` as texts; others are not looked at.

    Features are a float32 array (examples, columns) where all hold a number in each row.
    """
    names = read_header(path)
    require_columns(names_wanted(columns, label), names, str(path), header_hint(names))
    features = tuple(column.name for column in columns)
    if are_all_numbers(columns):
        parsed = read_sound_table(path, names, features, label)
        if parsed is not None:
            place = Place(str(path), lambda row: line_of_row(path, row))
            return RawPart(*parsed, place, place)
    table = read_table(path, names)
    values, labels = features_and_labels(table, columns, label, may_leave_out=may_leave_out)
    return RawPart(values, labels, table.place, table.place)


def read_cells(path: Path) -> Cells:
    """All cells as texts; DataError, with its line if there is one, where the file is no table."""
    return read_table(path, read_header(path))
