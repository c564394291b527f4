"""JSON Lines: one object per line, its keys are the columns; numbers and texts are told by value.

Strict: UTF-8, no key twice, no NaN; a value that is wanted is a number, a text, true, false or
null, and its key is in every line. Other keys are not looked at. Blank lines are nothing.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

from bmtrain.data.raw.columns import Beside, Column
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import HeldFile, Place, RawPart, opened, reading
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.column_names import names_wanted, require_columns
from bmtrain.data.tables.model_columns import require_known
from bmtrain.data.tables.table_values import as_part, columns_and_texts
from bmtrain.data.wording.quoting import quoted, short
from bmtrain.errors import DataError

if TYPE_CHECKING:
    pass

#: Nobody's object is as long; more would be read into memory at once.
_MAX_LINE_BYTES: Final = 1 << 26
_BLOCK_BYTES: Final = 1 << 22
# The columns as texts, twice while spaces are cut off, beside a block of Python's objects.
_MEMORY_PER_FILE_BYTE: Final = 6


def read_header(path: Path | HeldFile) -> list[str]:
    """The keys of the first object."""
    with opened(path) as (file, _):
        for number, line in _lines(file, str(path)):
            return list(_object(line, f"{path}, line {number}"))
    raise DataError("the file has no line with an object", where=str(path))


def read_cells(path: Path | HeldFile) -> Cells:
    """All columns of the first object, as texts; nested values are nulls."""
    names = read_header(path)
    with opened(path) as (file, num_bytes):
        require_memory(num_bytes * _MEMORY_PER_FILE_BYTE, where=str(path))
        return _joined(list(_blocks(file, str(path), names, skip_nested=True)))


def read_part(
    path: Path | HeldFile, columns: tuple[Column, ...], beside: Beside, *, may_leave_out: bool
) -> RawPart:
    """The ``columns`` and those ``beside`` them.

    Features are a float32 array (examples, columns) where all hold a number in each row.
    """
    names = list(names_wanted(columns, beside))
    require_columns(dict.fromkeys(names), read_header(path), str(path))
    with opened(path) as (file, num_bytes):
        require_memory(num_bytes * _MEMORY_PER_FILE_BYTE, where=str(path))
        cells = _joined(list(_blocks(file, str(path), names)))
    wanted = (*columns, *beside.numbers)
    found = columns_and_texts(cells, wanted, beside.texts, may_leave_out=may_leave_out)
    return as_part(*found, beside, cells.place)


def jsonl_file_blocks(
    path: Path, columns: tuple[Column, ...], beside: Beside | None = None
) -> Iterator[RawPart]:
    """The same, and what is ``beside``, in blocks, in little memory."""
    with opened(path) as (file, _):
        yield from jsonl_blocks(file, str(path), columns, beside=beside)


def jsonl_blocks(
    file: BinaryIO,
    name: str,
    columns: tuple[Column, ...],
    known: Sequence[str] | None = None,
    *,
    beside: Beside | None = None,
) -> Iterator[RawPart]:
    """The same of a pipe; errors name ``name`` and the line.

    ``known``: the keys that may be there; None: any.
    """
    others = beside or Beside()
    wanted = (*columns, *others.numbers)
    for cells in _blocks(file, name, list(names_wanted(columns, others)), known):
        leave_out = beside is not None
        found = columns_and_texts(cells, wanted, others.texts, may_leave_out=leave_out)
        yield as_part(*found, others, cells.place)


def _blocks(
    file: BinaryIO,
    where: str,
    names: Sequence[str],
    known: Sequence[str] | None = None,
    *,
    skip_nested: bool = False,
) -> Iterator[Cells]:
    """The values of ``names`` as texts, some lines at a time."""
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    num_bytes, is_empty = 0, True
    for number, line in _lines(file, where):
        found = _object(line, f"{where}, line {number}")
        rows.append(_texts(found, names, f"{where}, line {number}", skip_nested=skip_nested))
        if known is not None:
            require_known(list(found), known, f"{where}, line {number}")
        numbers.append(number)
        num_bytes += len(line)
        if num_bytes >= _BLOCK_BYTES:
            yield _cells(rows, numbers, names, where)
            rows, numbers, num_bytes, is_empty = [], [], 0, False
    if rows:
        yield _cells(rows, numbers, names, where)
    elif is_empty:
        raise DataError("the file has no line with an object", where=where)


def _lines(file: BinaryIO, where: str) -> Iterator[tuple[int, str]]:
    """The lines that hold something, with their numbers."""
    number = 0
    while True:
        with reading(HeldFile(where, b"")):
            line = file.readline(_MAX_LINE_BYTES + 1)
        if not line:
            return
        number += 1
        place = f"{where}, line {number}"
        if len(line) > _MAX_LINE_BYTES:
            raise DataError(f"the line is longer than {_MAX_LINE_BYTES:,} bytes", where=place)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise DataError(
                f"expected UTF-8 text, got the byte {line[error.start]:02x}",
                where=place,
                hint="save the file in UTF-8",
            ) from None
        if text.strip():
            yield number, text


def _object(line: str, place: str) -> dict[str, Any]:
    """One object; numbers stay the texts that they are written as."""
    try:
        found = json.loads(
            line,
            object_pairs_hook=_unique,
            parse_constant=_refused,
            parse_float=str,
            parse_int=str,
        )
    except json.JSONDecodeError as error:
        message = f"this is not JSON: {error.msg}, column {error.colno}"
        hint = "each line is one object: a list, or an object over several lines, is not read"
        raise DataError(message, where=place, hint=hint) from None
    except RecursionError:
        raise DataError("the values are nested too deeply", where=place) from None
    except ValueError as error:
        raise DataError(str(error), where=place) from None
    if not isinstance(found, dict):
        raise DataError(
            f"expected an object, got {_kind(found)}",
            where=place,
            hint='each line is one object: {"text": "…", "label": "…"}',
        )
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {quoted(twice)} is there twice")
    return mapping


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON; write null for what is missing")


def _texts(
    found: dict[str, Any], names: Sequence[str], place: str, *, skip_nested: bool
) -> list[str | None]:
    row: list[str | None] = []
    for name in names:
        value = found.get(name, _texts)  # which no value is
        if value is _texts:
            keys = ", ".join(quoted(key) for key in list(found)[:5])
            raise DataError(
                f"the key {quoted(name)} is missing; the keys are: {keys}",
                where=place,
                hint="write null for what is missing",
            )
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif value is not None and not isinstance(value, str):
            if not skip_nested:
                raise DataError(
                    f"key {quoted(name)}: expected a number or a text, got {_kind(value)}",
                    where=place,
                    hint="write its parts as keys of their own, or leave it out with data.features",
                )
            value = None
        row.append(_sound(value, name, place))
    return row


def _sound(value: str | None, name: str, place: str) -> str | None:
    """Half a surrogate pair, which JSON can write, is no text."""
    if value is not None and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"key {quoted(name)}: half a surrogate pair is not a text", where=place
            ) from None
    return value


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else short(str(value))


def _cells(
    rows: list[list[str | None]], numbers: list[int], names: Sequence[str], where: str
) -> Cells:
    import polars as pl

    columns = {}
    for at, name in enumerate(names):
        texts = pl.Series([row[at] for row in rows], dtype=pl.String).str.strip_chars()
        columns[name] = texts.set(texts == "", None)
    return Cells(columns, len(rows), Place(where, lambda row: numbers[row]))


def _joined(blocks: list[Cells]) -> Cells:
    import polars as pl

    numbers = [block.place.line_of_row for block in blocks]
    starts: list[int] = []
    num_rows = 0
    for block in blocks:
        starts.append(num_rows)
        num_rows += block.num_rows
    columns = {name: pl.concat([b.columns[name] for b in blocks]) for name in blocks[0].columns}

    def line_of_row(row: int) -> int:
        at = max(index for index, start in enumerate(starts) if start <= row)
        line = numbers[at]
        assert line is not None
        return line(row - starts[at])

    return Cells(columns, num_rows, Place(blocks[0].place.name, line_of_row))
