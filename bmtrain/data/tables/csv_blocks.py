"""A table of any length, block by block: each is read as a table of its own, in little memory."""

from __future__ import annotations

import codecs
import dataclasses
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from bmtrain.data.raw.columns import Beside, Column
from bmtrain.data.raw.source import HeldFile, Place, RawPart, opened
from bmtrain.data.tables.column_names import names_wanted, require_columns
from bmtrain.data.tables.csv_rows import header_hint, read_header
from bmtrain.data.tables.csv_table import read_table_part
from bmtrain.data.tables.model_columns import require_known
from bmtrain.errors import DataError

BLOCK_BYTES: Final = 1 << 22
#: A quote that is never closed takes everything after it into its cell; nobody's cell is as long.
_MAX_RECORD_BYTES: Final = 1 << 26
_LINE: Final = re.compile(r"\bline (\d+)")


def csv_file_blocks(
    path: Path, columns: tuple[Column, ...], beside: Beside | None = None
) -> Iterator[RawPart]:
    """The same of a file, and what is ``beside``."""
    with opened(path) as (file, _):
        yield from csv_blocks(file, str(path), columns, beside=beside)


def csv_blocks(
    file: BinaryIO,
    name: str,
    columns: tuple[Column, ...],
    known: Sequence[str] | None = None,
    *,
    beside: Beside | None = None,
) -> Iterator[RawPart]:
    """The ``columns`` of a table, and what is ``beside``; errors name ``name`` and the line.

    ``known``: the columns that may be there; None: any.

    Raises:
        DataError: at the first block that is wrong.
    """
    blocks = _whole_records(file)
    first = next(blocks, b"").removeprefix(codecs.BOM_UTF8)
    if not first:
        raise DataError("the file is empty", where=name)
    while not first.strip(b"\r\n") and (more := next(blocks, b"")):
        first += more
    header, first = _split_header(first)
    if known is not None:
        names = read_header(HeldFile(name, header))
        require_columns(names_wanted(columns, Beside()), names, name, header_hint(names))
        require_known(names, known, f"{name}, line 1")
    lines_before, is_empty = 0, True
    for block in chain((first,), blocks):
        if block.strip():
            is_empty = False
            yield _read_block(header, block, name, lines_before, columns, beside)
        lines_before += block.count(b"\n")
    if is_empty:
        _read_block(header, b"", name, 0, columns, beside)  # says so


def _whole_records(file: BinaryIO) -> Iterator[bytes]:
    """The bytes in blocks that end at the end of a record: a line feed outside of quotes."""
    held = b""
    while chunk := file.read(BLOCK_BYTES):
        held += chunk
        end = _last_record_end(held)
        if end == 0 and len(held) < _MAX_RECORD_BYTES:
            continue
        end = end or len(held)
        yield held[:end]
        held = held[end:]
    if held:
        yield held


def _last_record_end(content: bytes) -> int:
    """After the last line feed before which quotes pair; 0 if there is none."""
    position = len(content)
    quotes_before = content.count(b'"')
    while (line_feed := content.rfind(b"\n", 0, position)) >= 0:
        quotes_before -= content.count(b'"', line_feed, position)
        if quotes_before % 2 == 0:
            return line_feed + 1
        position = line_feed
    return 0


def _split_header(block: bytes) -> tuple[bytes, bytes]:
    """The first record that is no blank line, with the blank ones before it, and what follows."""
    start = len(block) - len(block.lstrip(b"\r\n"))
    end = start
    while (line_feed := block.find(b"\n", end)) >= 0:
        end = line_feed + 1
        if block.count(b'"', start, end) % 2 == 0:
            return block[:end], block[end:]
    return block, b""


def _read_block(
    header: bytes,
    block: bytes,
    name: str,
    lines_before: int,
    columns: tuple[Column, ...],
    beside: Beside | None,
) -> RawPart:
    num_header_lines = header.count(b"\n")

    def in_file(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"line {number + (lines_before if number > num_header_lines else 0)}"

    held = HeldFile(name, header + block)
    try:
        part = read_table_part(held, columns, beside or Beside(), may_leave_out=beside is not None)
    except DataError as error:
        error.where = error.where and name + _LINE.sub(in_file, error.where.removeprefix(name))
        error.message = _LINE.sub(in_file, error.message)
        raise
    first_line = num_header_lines + lines_before + 1
    place = Place(name, lambda row: first_line + row)
    return dataclasses.replace(part, features_at=place, labels_at=place)
