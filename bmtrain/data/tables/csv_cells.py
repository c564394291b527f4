"""The cells of a table: fast where all are sound, else as texts that can be told apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import HeldFile, Place, opened
from bmtrain.data.tables.cell_blocks import as_grid, laid_out, taken_up
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.csv_flaws import line_end_flaw, nul_flaw, num_lines, quoting_flaw
from bmtrain.data.tables.csv_rows import (
    blank_lines,
    content_of,
    line_of_row,
    malformed,
    num_ragged,
    width_of_row,
)
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl

# A cell takes two bytes in the file at least. Parsed: the file, 8 bytes of float64 and 4 of
# float32 per cell. As texts: 16 bytes per cell, twice while spaces are cut off.
_PARSED_MEMORY_PER_FILE_BYTE = 7
_TEXTS_MEMORY_PER_FILE_BYTE = 20
# What Polars takes for a column, however short.
_MEMORY_PER_COLUMN = 4000


def read_sound_table(
    path: Path | HeldFile, names: list[str], numbers: tuple[str, ...], texts: tuple[str, ...]
) -> tuple[NDArray[np.float32], list[list[str]]] | None:
    """Columns of ``numbers`` (rows, columns) and of ``texts`` of a table without flaws.

    None where there is any doubt.

    Then ``read_table`` takes longer, and can say what is wrong.
    """
    import polars as pl

    _require_memory(path, len(names), _PARSED_MEMORY_PER_FILE_BYTE)
    text = _text_of(path)
    wanted = set(numbers)
    schema = {name: pl.Float64() if name in wanted else pl.String() for name in names}
    try:
        cells = pl.read_csv(io.BytesIO(text), schema=schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    _require_all_rows(path, text, cells.height)
    # Not by select, and no operation under these names: "*" and "^a.*$" are patterns to Polars.
    columns = dict(zip(names, cells.get_columns(), strict=True))
    needed = [columns[name] for name in (*numbers, *texts)]
    if not cells.height or any(column.null_count() for column in needed):
        return None
    values = np.empty((cells.height, len(numbers)), np.float32)
    with np.errstate(over="ignore"):
        for position, name in enumerate(numbers):
            values[:, position] = columns[name].to_numpy()
    if not np.isfinite(values).all():
        return None
    found = [columns[name].alias("texts").str.strip_chars() for name in texts]
    if any((cells == "").any() for cells in found):
        return None
    return values, [cells.to_list() for cells in found]


def _text_of(path: Path | HeldFile) -> bytes:
    content = content_of(path)
    if (flaw := nul_flaw(content)) is not None:
        raise flaw.error(path)
    # The line break hides the first bytes from Polars, which takes "x^" for zlib's magic.
    return b"\n" + content


def _require_all_rows(path: Path | HeldFile, text: bytes, num_rows: int) -> None:
    """DataError where a stray quote has taken the lines up to the next one into its cell.

    What Polars made of it may look like a table. Cells with a line break are sound.
    """
    num_data_lines = num_lines(text) - 2  # the first is empty, the second the header
    if num_rows != num_data_lines and (flaw := quoting_flaw(text[1:])) is not None:
        raise flaw.error(path)


def read_table(path: Path | HeldFile, names: list[str]) -> Cells:
    """All cells as texts, blank lines left out; DataError, with its line if there is one, where the file is no table."""
    import polars as pl

    _require_memory(path, len(names), _TEXTS_MEMORY_PER_FILE_BYTE)
    text = _text_of(path)
    try:
        cells = pl.read_csv(io.BytesIO(text), infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise malformed(path, len(names), str(error)) from error
    _require_all_rows(path, text, cells.height)
    if cells.width != len(names):
        raise malformed(path, len(names), f"expected {len(names)} columns, got {cells.width}")
    num_rows = cells.height
    blocks = [_stripped(block) for block in laid_out(cells.get_columns(), num_rows)]
    del cells  # as large as the blocks
    is_blank = np.ones(num_rows, np.bool_)
    for block in blocks:
        is_blank &= as_grid(block.is_null(), num_rows).all(axis=0)
    if is_blank.any():
        is_blank &= blank_lines(path, num_rows)
    row_numbers = np.flatnonzero(~is_blank)
    if not len(row_numbers):
        if (flaw := line_end_flaw(text[1:])) is not None:
            raise flaw.error(path)
        raise DataError("the table has a header and no rows", where=str(path))
    if is_blank.any():
        for number, block in enumerate(blocks):
            is_kept = pl.Series(np.tile(~is_blank, len(block) // num_rows))
            blocks[number] = block.filter(is_kept)
    columns = [column for block in blocks for column in taken_up(block, len(row_numbers))]
    return Cells(
        dict(zip(names, columns, strict=True)),
        num_rows=len(row_numbers),
        place=Place(str(path), lambda row: line_of_row(path, int(row_numbers[row]))),
        width_of_row=lambda row: width_of_row(path, int(row_numbers[row])),
        num_ragged=lambda: num_ragged(path, len(names)),
    )


def _stripped(cells: pl.Series) -> pl.Series:
    """The cells without spaces around them, null where nothing is left."""
    stripped = cells.str.strip_chars()
    return stripped.set(stripped == "", None)


def _require_memory(path: Path | HeldFile, num_columns: int, memory_per_file_byte: int) -> None:
    with opened(path) as (_, file_size):
        num_bytes = file_size * memory_per_file_byte + num_columns * _MEMORY_PER_COLUMN
    require_memory(num_bytes, where=str(path))
