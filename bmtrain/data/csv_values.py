"""A table's columns as numbers or texts, and what is wrong with a cell that is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.csv_cells import Table
from bmtrain.data.csv_rows import width_of_row, wrong_width
from bmtrain.errors import DataError


def as_numbers(table: Table, name: str) -> NDArray[np.float32]:
    """A column as finite float32, rounded from float64."""
    import polars as pl

    texts = table.columns[name]
    numbers = texts.cast(pl.Float64, strict=False)
    with np.errstate(over="ignore"):
        rounded = numbers.fill_null(float("nan")).to_numpy().astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(rounded))
    if wrong.size:
        row = int(wrong[0])
        text = texts[row]
        if text is None:
            raise _bad_cell(table, name, row)
        if numbers[row] is None:
            got = f"expected a number, got {text!r}"
        elif np.isfinite(numbers[row]):
            got = f"{text} is too large for float32, whose largest is 3.4e38"
        else:
            got = f"expected a finite number, got {text!r}"
        is_of_no_use = wrong.size == len(rounded) and len(table.columns) > 2
        hint = "data.features can leave a column out" if is_of_no_use else None
        raise _bad_cell(table, name, row, got, hint)
    return rounded


def as_texts(table: Table, name: str) -> list[str]:
    """A column whose cells are all filled."""
    texts = table.columns[name]
    missing = np.flatnonzero(texts.is_null().to_numpy())
    if missing.size:
        raise _bad_cell(table, name, int(missing[0]))
    return [str(text) for text in texts.to_list()]


def _bad_cell(
    table: Table,
    name: str,
    row: int,
    what: str = "the cell is empty",
    hint: str | None = "every cell needs a value",
) -> DataError:
    """What is wrong with a cell, unless its whole row is too short."""
    num_cells = width_of_row(table.path, int(table.row_numbers[row]))
    if 0 < num_cells < len(table.columns):
        return wrong_width(len(table.columns), num_cells, table.where(row))
    return DataError(f"column {name!r}: {what}", where=table.where(row), hint=hint)
