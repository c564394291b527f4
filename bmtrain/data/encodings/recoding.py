"""Encodings of what stays in its file: each block is encoded as it is read, to the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.encoding import Encoding
from bmtrain.data.encodings.table_encoding import CategoricalInput, TableEncoding
from bmtrain.data.encodings.text_encoding import NUM_RESERVED, PADDING, UNKNOWN, TextEncoding
from bmtrain.data.raw.coded_rows import CodedColumns, CodedTokens
from bmtrain.data.raw.streamed_rows import Recoding, StreamedRows

Array = NDArray[np.generic]

#: Rows that are encoded at a time: they stay in the processor's cache.
_NUM_ROWS: Final = 1 << 10


def encoded_rows(coded: CodedColumns | CodedTokens, encoding: Encoding) -> StreamedRows:
    """The inputs that ``encoding``, fitted on such rows, makes of ``coded``; not read."""
    recoding: Recoding
    if isinstance(coded, CodedColumns):
        assert isinstance(encoding, TableEncoding)
        recoding = _TableRecoding(encoding, coded)
    else:
        assert isinstance(encoding, TextEncoding)
        recoding = _TokenRecoding(encoding.input_shape, _numbers_of(coded.tokens, encoding))
    dtype = np.dtype(encoding.input_dtype)
    return StreamedRows(coded.file, dtype, coded.rows, recoding)


@dataclass(frozen=True, slots=True)
class _TokenRecoding:
    """Numbers of the file's tokens to those of the model's."""

    shape: tuple[int, ...]
    numbers: Array

    def recode(self, stored: Any, out: Array) -> None:
        """(rows, length) int32 → token numbers."""
        np.take(self.numbers, stored, out=out, mode="clip")


def _numbers_of(tokens: Sequence[str], encoding: TextEncoding) -> Array:
    if encoding.level == "byte":
        return np.arange(encoding.vocabulary_size).astype(encoding.input_dtype)
    known = {token: NUM_RESERVED + at for at, token in enumerate(encoding.vocabulary)}
    numbers = [PADDING, UNKNOWN, *(known.get(token, UNKNOWN) for token in tokens)]
    return np.array(numbers, encoding.input_dtype)


class _TableRecoding:
    """Columns to inputs, as ``TableEncoding.encode`` has them."""

    def __init__(self, encoding: TableEncoding, coded: CodedColumns) -> None:
        self.shape = encoding.input_shape
        place_of = {column.name: place for place, column in enumerate(coded.columns)}
        numbers: list[tuple[int, int, float]] = []
        indicators: list[tuple[int, int]] = []
        categories: list[tuple[int, int, int]] = []
        inputs: list[int] = []
        target = 0
        for part in encoding.inputs:
            source = place_of[part.name]
            if isinstance(part, CategoricalInput):
                categories.append((source, len(inputs), target + len(part.categories) + 1))
                inputs += _inputs(part, coded.texts[source] or (), target)
            else:
                numbers.append((source, target, np.nan if part.fill is None else part.fill))
                if part.has_indicator:
                    indicators.append((source, target + 1))
            target += len(part.input_names)
        self._numbers = _Numbers.of(numbers)
        self._indicators = _Numbers.of([(*places, np.nan) for places in indicators])
        self._sources = [source for source, _, _ in categories]
        self._firsts = np.array([first for _, first, _ in categories], np.int64)
        self._missing = np.array([missing for _, _, missing in categories], np.int64)
        self._inputs = np.array(inputs or [0], np.int64)

    def recode(self, stored: Any, out: Any) -> None:
        """(rows, columns) float32 → (rows, inputs) float32."""
        for start in range(0, len(stored), _NUM_ROWS):
            rows = slice(start, start + _NUM_ROWS)
            self._recode(stored[rows], out[rows])

    def _recode(self, stored: Any, out: Any) -> None:
        out[:] = 0
        values = stored[:, self._numbers.sources]
        out[:, self._numbers.targets] = np.where(np.isnan(values), self._numbers.fills, values)
        if self._indicators:
            out[:, self._indicators.targets] = np.isnan(stored[:, self._indicators.sources])
        if self._sources:
            codes = stored[:, self._sources]
            is_missing = np.isnan(codes)
            places = np.where(is_missing, 0, codes).astype(np.int64) + self._firsts
            inputs = np.where(is_missing, self._missing, self._inputs[places])
            out[np.arange(len(out))[:, None], inputs] = 1


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Columns that are inputs as they are, but for what fills their gaps."""

    sources: slice | list[int]
    targets: slice | list[int]
    fills: NDArray[np.float32]

    @classmethod
    def of(cls, columns: Sequence[tuple[int, int, float]]) -> _Numbers:
        """Of each its place, its input and its fill; NaN: it has no gaps."""
        sources = [source for source, _, _ in columns]
        targets = [target for _, target, _ in columns]
        fills = np.array([fill for _, _, fill in columns], np.float32)
        return cls(_as_slice(sources), _as_slice(targets), fills)

    def __bool__(self) -> bool:
        return len(self.fills) > 0


def _as_slice(places: list[int]) -> slice | list[int]:
    """Neighbours as a slice, which is read three times as fast."""
    start = places[0] if places else 0
    stop = start + len(places)
    return slice(start, stop) if places == list(range(start, stop)) else places


def _inputs(part: CategoricalInput, texts: Sequence[str], target: int) -> list[int]:
    """The input of each text, where those of the column begin at ``target``."""
    number = {category: at for at, category in enumerate(part.categories)}
    return [target + number.get(text, len(part.categories)) for text in texts]
