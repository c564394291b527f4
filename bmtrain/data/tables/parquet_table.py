"""Parquet tables: columns with types of their own, read by Polars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.columns import Beside, Column, are_all_numbers
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import Place, RawPart, opened
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.column_names import names_wanted, require_columns
from bmtrain.data.tables.table_values import as_part, columns_and_texts
from bmtrain.data.wording.quoting import quoted, short
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl

#: Rows that are read at a time where a table is read in blocks.
BLOCK_ROWS: Final = 1 << 16
# A cell as a text, twice while it is cast, and as a number.
_MEMORY_PER_CELL: Final = 48


def read_header(path: Path) -> list[str]:
    """The column names; DataError where the file is no Parquet file."""
    return list(_schema(path))


def read_part(
    path: Path, columns: tuple[Column, ...], beside: Beside, *, may_leave_out: bool
) -> RawPart:
    """The ``columns`` and those ``beside`` them.

    Features are a float32 array (examples, columns) where all hold a number in each row.

    Raises:
        DataError: a column of another type, a bad cell; the place is the row, from 0.
    """
    return _read(path, columns, beside, slice(0, num_rows(path)), may_leave_out=may_leave_out)


def read_cells(path: Path) -> Cells:
    """All columns as texts; those that hold no values, as lists, are of nulls."""
    import polars as pl

    number = num_rows(path)
    schema = _schema(path)
    require_memory(number * len(schema) * _MEMORY_PER_CELL, where=str(path))
    with _reading(path):
        frame = pl.read_parquet(path)
    texts = {
        name: _as_texts(frame.get_column(name))
        if _has_values(dtype)
        else pl.repeat(None, number, dtype=pl.String, eager=True)
        for name, dtype in schema.items()
    }
    unread = {name: str(dtype) for name, dtype in schema.items() if not _has_values(dtype)}
    return Cells(texts, number, Place(str(path)), unread=unread)


def parquet_blocks(
    path: Path, columns: tuple[Column, ...], beside: Beside | None = None
) -> Iterator[RawPart]:
    """The ``columns``, and what is ``beside``, in blocks of ``BLOCK_ROWS`` rows, in little memory."""
    number = num_rows(path)
    for start in range(0, number, BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, number))
        leave_out = beside is not None
        yield _read(path, columns, beside or Beside(), rows, may_leave_out=leave_out)


def _read(
    path: Path, columns: tuple[Column, ...], beside: Beside, rows: slice, *, may_leave_out: bool
) -> RawPart:
    import polars as pl

    names = names_wanted(columns, beside)
    schema = _schema(path)
    require_columns(names, list(schema), str(path))
    for name in names:
        _require_values(name, schema[name], path)
    require_memory((rows.stop - rows.start) * len(names) * _MEMORY_PER_CELL, where=str(path))
    with _reading(path):
        read = pl.scan_parquet(path).slice(rows.start, rows.stop - rows.start)
        frame = read.select([pl.nth(list(schema).index(name)) for name in names]).collect()
    place = Place(str(path), first_row=rows.start)
    wanted = (*columns, *beside.numbers)
    whole = _sound(frame, wanted, beside.texts)
    if whole is not None:
        return as_part(*whole, beside, place)
    texts = {name: _as_texts(frame.get_column(name)) for name in names}
    cells = Cells(texts, frame.height, place)
    found = columns_and_texts(cells, wanted, beside.texts, may_leave_out=may_leave_out)
    return as_part(*found, beside, place)


def _sound(
    frame: pl.DataFrame, columns: tuple[Column, ...], texts: tuple[str, ...]
) -> tuple[NDArray[np.float32], list[list[str]]] | None:
    """Numbers and texts of a table without flaws; None where there is any doubt."""
    import polars as pl

    features = [frame.get_column(column.name) for column in columns]
    if not are_all_numbers(columns) or any(cells.dtype == pl.String for cells in features):
        return None
    found = [_as_texts(frame.get_column(name)) for name in texts]
    if any(cells.null_count() for cells in (*features, *found)):
        return None
    values = np.empty((frame.height, len(features)), np.float32)
    with np.errstate(over="ignore"):
        for position, cells in enumerate(features):
            values[:, position] = cells.cast(pl.Float64).to_numpy()
    if not np.isfinite(values).all():
        return None
    return values, [cells.to_list() for cells in found]


def _as_texts(cells: pl.Series) -> pl.Series:
    """Numbers in their shortest form, without spaces around texts; null where nothing is left."""
    import polars as pl

    if cells.dtype == pl.Boolean:
        cells = cells.cast(pl.UInt8)
    if cells.dtype.is_float():
        cells = cells.fill_nan(None)
    texts = cells.cast(pl.String).str.strip_chars()
    return texts.set(texts == "", None)


def _require_values(name: str, dtype: pl.DataType, path: Path) -> None:
    if not _has_values(dtype):
        raise DataError(
            f"column {quoted(name)} holds {short(str(dtype))}: expected numbers or texts",
            where=str(path),
            hint="store it as a number, or leave it out with data.features",
        )


def _has_values(dtype: pl.DataType) -> bool:
    import polars as pl

    is_text = dtype in (pl.String, pl.Categorical, pl.Enum)
    return is_text or dtype.is_numeric() or dtype == pl.Boolean


def _schema(path: Path) -> dict[str, pl.DataType]:
    import polars as pl

    with _reading(path):
        return dict(pl.read_parquet_schema(path))


def num_rows(path: Path) -> int:
    """From the metadata; DataError where there is none."""
    import polars as pl

    with _reading(path):
        number = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    if not number:
        raise DataError("the table has no rows", where=str(path))
    return number


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    import polars as pl

    with opened(path):  # a regular file of some bytes
        pass
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"this is not an intact Parquet file: {reason[:200]}", where=str(path)
        ) from error
