"""Tables as records: numbers as they are, texts as numbers of what ``texts.json`` lists.

So the records depend on nothing that is fitted: categories, fills and vocabularies are those of the
training examples, whichever they are, and are applied while the records are read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import TokensSection
from bmtrain.data.encodings.token_numbering import TokenNumbering
from bmtrain.data.raw.columns import Column, RawColumns, are_all_numbers
from bmtrain.data.raw.memory import megabytes
from bmtrain.data.raw.source import RawPart, opened
from bmtrain.data.records.fixed_records import (
    TEXTS,
    Coding,
    describe,
    write_split,
)
from bmtrain.data.tables.table_formats import TABLE_FORMATS, TableFormatName, TableLayout
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError, EnvironmentFault
from bmtrain.progress import tell_progress

#: Different texts of one column: its numbers are exact in float32 up to 2²⁴.
_MAX_TEXTS: Final = 1 << 20
#: What is looked at of a file to tell how many rows it has, about.
_LOOKED_AT: Final = 1 << 22


def write_table(
    directory: Path,
    layout: TableLayout,
    name: TableFormatName,
    tokens: TokensSection | None,
    *,
    spare_bytes: int = 0,
) -> None:
    """Convert a table into an empty ``directory``, block by block.

    Args:
        tokens: how its texts become tokens, where ``data.text`` names its one column.
        spare_bytes: what must be left free on the disk.

    Raises:
        DataError: with file and line.
        EnvironmentFault: there is no room for it. OSError: it cannot be written.
    """
    expected = {split: _num_rows(file, name) for split, file in layout.files.items()}
    values = len(layout.columns) if tokens is None else tokens.length
    _require_room(directory, sum(expected.values()) * values * 4, spare_bytes)
    coder = _Coder(layout.columns, tokens)
    for split, file in layout.files.items():
        read = TABLE_FORMATS[name].blocks(file, layout.columns, layout.beside)
        write_split(directory, split, _coded(read, coder, expected[split]))
    coding = None
    if not are_all_numbers(layout.columns):
        _write_texts(directory / TEXTS, coder.texts)
        texts = tuple(column.name for column in layout.columns if column.holds == "texts")
        gaps = any(column.may_be_missing for column in layout.columns)
        coding = Coding(texts, gaps, tokens)
    describe(directory, tuple(column.name for column in layout.columns), layout.beside, coding)


class _Coder:
    """Makes one array of each block; texts get their numbers in the order in which they come."""

    def __init__(self, columns: tuple[Column, ...], tokens: TokensSection | None) -> None:
        self._columns = columns
        self._numbering = None if tokens is None else TokenNumbering(columns[0].name, tokens)
        self._codes: dict[str, dict[str, int]] = {
            column.name: {} for column in columns if column.holds == "texts"
        }

    @property
    def texts(self) -> list[list[str] | None]:
        """Of each column those that its numbers stand for; None of numbers."""
        if self._numbering is not None:
            return [self._numbering.tokens]
        coded = self._codes
        return [list(coded[c.name]) if c.name in coded else None for c in self._columns]

    def array(self, part: RawPart) -> NDArray[Any]:
        """Float32 (rows, columns), or int32 (rows, length) of tokens."""
        raw = part.features
        if not isinstance(raw, RawColumns):
            return part.array
        if self._numbering is not None:
            return self._numbering.numbered(raw, part.features_at)
        values = np.empty((len(raw), len(self._columns)), np.float32)
        for place, column in enumerate(self._columns):
            is_text = column.holds == "texts"
            values[:, place] = (
                self._numbers(column.name, raw, part) if is_text else raw.numbers[column.name]
            )
        return values

    def _numbers(self, name: str, raw: RawColumns, part: RawPart) -> NDArray[np.float32]:
        import polars as pl

        cells, codes = raw.texts[name].alias("cells"), self._codes[name]
        different = cells.drop_nulls().unique().sort().to_list()
        for text in different:
            codes.setdefault(text, len(codes))
        if len(codes) > _MAX_TEXTS:
            raise DataError(
                f"column {quoted(name)} has more than {_MAX_TEXTS:,} different values: they are no "
                "categories",
                where=part.features_at.name,
                key=("data", "categorical"),
                hint="leave it out with data.features",
            )
        if not different:
            return np.full(len(cells), np.nan, np.float32)
        numbers = pl.Series([codes[text] for text in different], dtype=pl.Float32)
        coded = cells.replace_strict(
            pl.Series(different, dtype=pl.String), numbers, default=None, return_dtype=pl.Float32
        )
        return coded.to_numpy()


def _coded(blocks: Iterator[RawPart], coder: _Coder, expected: int) -> Iterator[RawPart]:
    done = 0
    for block in blocks:
        array = coder.array(block)
        done += len(array)
        tell_progress("examples converted", done, max(done, expected))
        yield dataclasses.replace(block, features=array)


def _num_rows(file: Path, name: TableFormatName) -> int:
    """About as many as the table has: those of its beginning, and its size."""
    if name == "parquet":
        from bmtrain.data.tables.parquet_table import num_rows

        return num_rows(file)
    with opened(file) as (content, num_bytes):
        start = content.read(_LOOKED_AT)
    return max(1, start.count(b"\n")) * num_bytes // len(start)


def _require_room(directory: Path, num_bytes: int, spare_bytes: int) -> None:
    free = shutil.disk_usage(directory).free
    if num_bytes + spare_bytes > free:
        spare = f", of which {megabytes(spare_bytes)} are to be left" if spare_bytes else ""
        raise EnvironmentFault(
            f"the converted table needs about {megabytes(num_bytes)}; {megabytes(free)} are free"
            f"{spare}",
            where=str(directory.parent),
            hint="free some space, or write it elsewhere: bmtrain convert SOURCE OUT",
        )


def _write_texts(path: Path, texts: Sequence[Sequence[str] | None]) -> None:
    with path.open("x", encoding="utf-8") as file:
        json.dump(texts, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
