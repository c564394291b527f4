"""CSV through Python's own reader: the header, and the slow way that knows lines.

Polars reads the table; what it cannot say (which line is wrong, and how) is found
here by reading the rows again.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.source import HeldFile, opened, reading
from bmtrain.data.tables.csv_flaws import line_end_flaw, nul_flaw, quoting_flaw, separator_flaw
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError
from bmtrain.figures import count


def read_header(path: Path | HeldFile) -> list[str]:
    """The column names, without spaces around them; all different and none empty."""
    with _reading_text(path):
        names = next((cells for _, cells in _rows(path)), [])
    names = [name.strip() for name in names]
    if any("\n" in name for name in names):
        _require_sound_quotes(path)
    where = f"{path}, line 1"
    if "" in names or not names:
        raise DataError(
            f"column {names.index('') + 1 if names else 1} has no name",
            where=where,
            hint="the first line names the columns; a row index needs no column (index=False)",
        )
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        message = f"the column name {quoted(twice)} is there twice"
        raise DataError(message, where=where, hint=header_hint(names))
    if (flaw := separator_flaw(names) or nul_flaw(",".join(names).encode())) is not None:
        raise flaw.error(path)
    return names


def content_of(path: Path | HeldFile) -> bytes:
    """The bytes of a file, without the mark that UTF-8 may begin with."""
    with reading(path), opened(path) as (file, num_bytes):
        return file.read(num_bytes).removeprefix(codecs.BOM_UTF8)


def header_hint(names: list[str]) -> str | None:
    """What may be wrong with a header that has not the column that is looked for."""
    if len(names) == 1 and " " in names[0]:
        return "the header has no comma: only comma-separated tables are read"
    numbers = sum(_is_number(name) for name in names)
    return "is the header line missing?" if numbers > len(names) / 2 else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def blank_lines(path: Path | HeldFile, num_rows: int) -> NDArray[np.bool_]:
    """Which of the first ``num_rows`` data rows are blank lines."""
    is_blank = np.zeros(num_rows, np.bool_)
    for number, (_, cells) in enumerate(data_rows(path)):
        if number < num_rows:
            is_blank[number] = not cells
    return is_blank


def line_of_row(path: Path | HeldFile, row: int) -> int:
    """The line at which the data row ``row`` begins; rows count from 0, lines from 1."""
    lines = (line for number, (line, _) in enumerate(data_rows(path)) if number == row)
    return next(lines, row + 2)


def width_of_row(path: Path | HeldFile, row: int) -> int:
    """How many cells the data row ``row`` has; 0 for a blank line."""
    rows = (len(cells) for number, (_, cells) in enumerate(data_rows(path)) if number == row)
    return next(rows, 0)


def num_ragged(path: Path | HeldFile, num_columns: int, *, before_line: int | None = None) -> int:
    """How many rows have not one cell per column, as far as the table can be read.

    0 of a part of a table that is held: its other parts are not known.
    """
    if isinstance(path, HeldFile):
        return 0
    found = 0
    with suppress(DataError):
        for line, cells in data_rows(path):
            if before_line is not None and line >= before_line:
                break
            found += bool(cells) and len(cells) != num_columns
    return found


def wrong_width(num_columns: int, num_cells: int, where: str, num_rows: int = 1) -> DataError:
    """The error of a row that has not one cell per column, the first of ``num_rows``."""
    have = "has" if num_rows == 2 else "have"
    more = f"; {count(num_rows - 1, 'more row')} {have} not {num_columns}, either"
    return DataError(
        f"expected {num_columns} cells, got {num_cells}{more if num_rows > 1 else ''}",
        where=where,
        hint="every column needs a cell; a text with a comma stands in quotes",
    )


def malformed(path: Path | HeldFile, num_columns: int, reason: str) -> DataError:
    """Say where a table is not one: the rows are read again, slowly."""
    content = content_of(path)
    flaw = quoting_flaw(content)
    for line, cells in data_rows(path):
        if flaw is not None and flaw.line <= line:
            break  # what follows a stray quote is wrong because of it
        if cells and len(cells) != num_columns:
            before_line = None if flaw is None else flaw.line
            number = num_ragged(path, num_columns, before_line=before_line)
            return wrong_width(num_columns, len(cells), f"{path}, line {line}", number)
    flaw = flaw or line_end_flaw(content)
    if flaw is not None:
        return flaw.error(path)
    first_line = reason.strip().splitlines()[0] if reason.strip() else "unknown reason"
    # Polars quotes the cell that it fails at, which can be the rest of the file.
    return DataError(f"this is not a CSV table: {first_line[:200]}", where=str(path))


def data_rows(path: Path | HeldFile) -> Iterator[tuple[int, list[str]]]:
    """The line each row begins at, and its cells; blank lines are rows without cells."""
    with _reading_text(path):
        rows = _rows(path)
        next(rows, None)
        yield from rows


def _rows(path: Path | HeldFile) -> Iterator[tuple[int, list[str]]]:
    with opened(path) as (file, _), io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        reader = csv.reader(text)
        has_begun, first_line = False, 1
        for cells in reader:
            # Blank lines before the header are nothing; after it they are rows.
            if cells or has_begun:
                has_begun = True
                yield first_line, cells
            first_line = reader.line_num + 1


def _require_sound_quotes(path: Path | HeldFile) -> None:
    if (flaw := quoting_flaw(content_of(path))) is not None:
        raise flaw.error(path)


def _line_of_wrong_byte(path: Path | HeldFile) -> int:
    content = content_of(path)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1


@contextmanager
def _reading_text(path: Path | HeldFile) -> Iterator[None]:
    try:
        with reading(path):
            yield
    except UnicodeDecodeError as error:
        raise DataError(
            f"expected UTF-8 text, got the byte {error.object[error.start]:02x}",
            where=f"{path}, line {_line_of_wrong_byte(path)}",
            hint="save the table as CSV in UTF-8",
        ) from error
    except csv.Error as error:
        _require_sound_quotes(path)  # else a cell that never ends is told as one too long
        raise DataError(f"this is not a CSV table: {error}", where=str(path)) from error
