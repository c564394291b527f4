"""A table's columns as numbers and labels, and what is wrong with cells that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.columns import Beside, Column, RawColumns, are_all_numbers
from bmtrain.data.raw.source import Place, RawPart
from bmtrain.data.tables.cell_blocks import as_grid, laid_out
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.csv_rows import wrong_width
from bmtrain.data.wording.number_texts import MISSING_MARKS, plain_number
from bmtrain.data.wording.picture_names import is_picture_name
from bmtrain.data.wording.quoting import listed_and_more, quoted, short
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: Column → its rows without a usable value, ascending and at least one; in the file's order.
_Flaws = Mapping[str, NDArray[np.int64]]


def as_part(
    values: NDArray[np.float32] | RawColumns, texts: list[list[str]], beside: Beside, place: Place
) -> RawPart:
    """What was read of a table, taken apart: features, and what is ``beside`` them."""
    found = dict(zip(beside.texts, texts, strict=True))
    labels = None if beside.label is None else found[beside.label]
    groups = None if beside.group is None else found[beside.group]
    part = RawPart(values, labels, place, place, groups=groups)
    if beside.weight is None:
        return part
    if isinstance(values, RawColumns):
        numbers = dict(values.numbers)
        weights = numbers.pop(beside.weight)
        return replace(
            part, features=replace(values, numbers=numbers), weights=weights, weights_at=place
        )
    features = np.ascontiguousarray(values[:, :-1])
    return replace(part, features=features, weights=values[:, -1].copy(), weights_at=place)


def columns_and_texts(
    table: Cells, columns: tuple[Column, ...], texts: tuple[str, ...], *, may_leave_out: bool
) -> tuple[NDArray[np.float32] | RawColumns, list[list[str]]]:
    """The ``columns``, numbers as float32, rounded from float64, and ``texts`` as they are.

    One array (rows, columns) where each cell is a finite number.
    ``may_leave_out``: whether a hint may say so, which is of no use to a trained model.

    Raises:
        DataError: columns of numbers hold texts; else the first bad cell in the order of
            lines, and how many there are.
    """
    numeric = [column for column in columns if column.holds == "numbers"]
    values = _as_numbers([table.columns[c.name] for c in numeric], table.num_rows)
    flawed = {c.name: _flawed_numbers(table, c, values[:, at]) for at, c in enumerate(numeric)}
    categories = {c.name: _texts(table.columns[c.name], c) for c in columns if c.holds == "texts"}
    strict = [c.name for c in columns if c.holds == "texts" and not c.may_be_missing]
    for name in (*strict, *texts):
        flawed[name] = np.flatnonzero(table.columns[name].is_null().to_numpy())
    flaws = {name: flawed[name] for name in table.columns if len(flawed.get(name, ()))}
    if flaws:
        features = {column.name for column in columns if column.is_feature}
        numbers_in = [c.name for c in numeric if c.name in flaws and c.is_feature]
        may_leave_out &= bool(flaws.keys() & features)
        raise _error(table, flaws, numbers_in, _Remedies(may_leave_out, features > flaws.keys()))
    found = [[str(text) for text in table.columns[name].to_list()] for name in texts]
    if are_all_numbers(columns):
        return values, found
    return RawColumns({c.name: values[:, at] for at, c in enumerate(numeric)}, categories), found


def _flawed_numbers(table: Cells, column: Column, values: NDArray[np.float32]) -> NDArray[np.int64]:
    is_flawed = ~np.isfinite(values)
    if column.may_be_missing and is_flawed.any():
        is_flawed &= ~_is_missing_mark(table.columns[column.name]).to_numpy()
    return np.flatnonzero(is_flawed)


def _texts(cells: pl.Series, column: Column) -> pl.Series:
    """Texts as they are; where they may be missing, null for what stands for a missing one."""
    return cells.set(_is_missing_mark(cells), None) if column.may_be_missing else cells


def _is_missing_mark(cells: pl.Series) -> pl.Series:
    return cells.str.to_lowercase().is_in(sorted(MISSING_MARKS)).fill_null(value=True)


def _as_numbers(columns: list[pl.Series], num_rows: int) -> NDArray[np.float32]:
    """(rows, columns), NaN for what is no number."""
    import polars as pl

    values = np.empty((num_rows, len(columns)), np.float32)
    stop = 0
    for texts in laid_out(columns, num_rows):
        numbers = as_grid(texts.cast(pl.Float64, strict=False), num_rows)  # null for what is none
        start, stop = stop, stop + len(numbers)
        with np.errstate(over="ignore"):
            values[:, start:stop] = numbers.T
    return values


@dataclass(frozen=True, slots=True)
class _Remedies:
    """What a hint may say: a trained model's columns are what they are."""

    config: bool
    has_others: bool

    def leave_out(self, them: str) -> str:
        return (
            f", or leave {them} out with data.features" if self.config and self.has_others else ""
        )


def _error(
    table: Cells, flaws: _Flaws, numbers_in: Sequence[str], remedies: _Remedies
) -> DataError:
    """The error of a table with ``flaws``: a row that is too short is one before all else."""
    texts_at = _first_texts(table, numbers_in)
    firsts = texts_at or {name: int(rows[0]) for name, rows in flaws.items()}
    name = min(firsts, key=lambda name: firsts[name])
    row = firsts[name]
    num_cells = 0 if table.width_of_row is None else table.width_of_row(row)
    if 0 < num_cells < len(table.columns):
        num_rows = 1 if table.num_ragged is None else table.num_ragged()
        return wrong_width(len(table.columns), num_cells, table.place.row(row), num_rows)
    if texts_at:
        others = [other for other in texts_at if other != name]
        message, hint = _of_texts(name, table.columns[name][row], others, remedies)
    else:
        message, hint = _of_cells(table, name, row, flaws, remedies)
    return DataError(message, where=table.place.row(row), hint=hint)


def _first_texts(table: Cells, names: Sequence[str]) -> dict[str, int]:
    """The row of the first text, of columns where more than half of what they hold are texts.

    Numbers that are written for people, as $1,200, are none.
    """
    import polars as pl

    num_rows = table.num_rows
    found = {}
    position = 0
    for cells in laid_out([table.columns[name] for name in names], num_rows):
        is_text = cells.is_not_null() & cells.cast(pl.Float64, strict=False).is_null()
        is_text &= ~cells.str.to_lowercase().is_in(sorted(MISSING_MARKS)).fill_null(value=False)
        marks = as_grid(is_text, num_rows)
        num_filled = as_grid(cells.is_not_null(), num_rows).sum(axis=1)
        for at in np.flatnonzero(2 * marks.sum(axis=1) > num_filled):
            name, row = names[position + int(at)], int(marks[at].argmax())
            if plain_number(table.columns[name][row]) is None:
                found[name] = row
        position += len(marks)
    return found


def _of_texts(name: str, text: str, others: list[str], remedies: _Remedies) -> tuple[str, str]:
    """Message and hint for columns that hold texts, of which ``name`` is the first."""
    if others:
        listed = listed_and_more([quoted(other) for other in (name, *others)])
        what, them = f"columns {listed} hold texts ({quoted(text)} in {quoted(name)})", "them"
    else:
        what, them = f"column {quoted(name)} holds texts ({quoted(text)})", "it"
    if not remedies.config:
        return f"{what}: the model's are numbers", f"encode {them} as in the training examples"
    if is_picture_name(text):
        return (
            f"{what}: features are numbers unless the config says otherwise",
            "to read pictures: data.image: {size: [HEIGHT, WIDTH], column: " + name + "}",
        )
    leave_out = f", or leave {them} out with data.features" if remedies.has_others else ""
    return (
        f"{what}: features are numbers unless the config says otherwise",
        f"name {them} in data.categorical{leave_out}",
    )


def _of_cells(
    table: Cells, name: str, row: int, flaws: _Flaws, remedies: _Remedies
) -> tuple[str, str]:
    """Message and hint for cells without a value, of which ``name`` at ``row`` is the first."""
    text = table.columns[name][row]
    message = f"column {quoted(name)}: {_wrong(text)}"
    num_cells = sum(map(len, flaws.values()))
    if num_cells > 1:
        columns = f" in {len(flaws)} columns" if len(flaws) > 1 else ""
        message += f", the first of {num_cells:,} cells{columns} without a usable value"
    if text is not None and (plain := plain_number(text)) is not None:
        return message, f"write it as {short(plain)}"
    them, these_rows = ("them", "these rows") if num_cells > 1 else ("it", "the row")
    mend = f"fill {them} in" if _is_missing(text) else f"correct {them}"
    columns = "the column" if len(flaws) == 1 else "the columns"
    ways = [mend, f"remove {these_rows}"]
    if remedies.config and _is_missing(text):
        ways.append("set data.missing")
    if remedies.config and remedies.has_others:
        ways.append(f"leave {columns} out with data.features")
    return message, _either(ways)


def _either(ways: list[str]) -> str:
    return f"{', '.join(ways[:-1])}{',' * (len(ways) > 2)} or {ways[-1]}"


def _wrong(text: str | None) -> str:
    """What is wrong with one cell."""
    import polars as pl

    if text is None:
        return "the cell is empty"
    number = pl.Series([text]).cast(pl.Float64, strict=False)[0]
    if number is None:
        return f"expected a number, got {quoted(text)}"
    if np.isfinite(number):
        return f"{short(text)} is too large for float32, whose largest is 3.4e38"
    return f"expected a finite number, got {quoted(text)}"


def _is_missing(text: str | None) -> bool:
    return text is None or text.lower() in MISSING_MARKS
