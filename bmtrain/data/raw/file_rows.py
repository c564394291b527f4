"""Rows of an array that stays in its file, and are read from there when they are asked for.

They are read, not mapped: a map of a file that somebody cuts short ends the process without a
word (SIGBUS), while a read says how much there was.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.errors import DataError

Array = NDArray[np.generic]
Rows = NDArray[np.int64]

#: Bytes that are read in vain rather than by another call of the system, which takes as long.
_GAP_BYTES: Final = 1 << 13
#: What is read before it is put into its places: it stays in the processor's cache.
_STAGE_BYTES: Final = 1 << 20


class _Descriptor:
    """A descriptor of its own, closed when nobody has it any more."""

    def __init__(self, number: int) -> None:
        self.number = os.dup(number)

    def __del__(self) -> None:
        os.close(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class FileRows:
    """(rows, ...) in a file's own dtype, of at least one row and no empty ones.

    Attributes:
        name: the file, as errors name it.
        offset: where its values begin.
        is_fortran: they are in Fortran's order: a row is all over the file.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    is_fortran: bool
    _descriptor: _Descriptor

    @classmethod
    def of(
        cls,
        descriptor: int,
        name: str,
        dtype: np.dtype[Any],
        shape: tuple[int, ...],
        offset: int,
        *,
        is_fortran: bool = False,
    ) -> FileRows:
        """The array in the file open as ``descriptor``, which may be closed then."""
        is_fortran &= len(shape) > 1
        return cls(name, dtype, shape, offset, is_fortran, _Descriptor(descriptor))

    @property
    def nbytes(self) -> int:
        """Of all values in the file."""
        return prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, which: slice) -> Array:
        """Some rows that follow each other, read: C order, the file's dtype."""
        rows = range(len(self))[which]
        assert rows.step == 1, which
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if self.is_fortran:
            self._read_across(rows, values)
        elif values.size:
            self._read(_bytes_of(values), self.offset + rows.start * self._row_bytes)
        return values

    def part(self, start: int, stop: int) -> FileRows:
        """The rows from ``start`` to ``stop`` as rows of their own, not read."""
        assert not self.is_fortran
        offset = self.offset + start * self._row_bytes
        return dataclasses.replace(self, shape=(stop - start, *self.shape[1:]), offset=offset)

    def gather(self, rows: Rows, out: Array) -> None:
        """Row ``rows[i]`` into ``out[i]``; ``out`` is C-contiguous, of the file's dtype.

        They are read in the file's order, those that lie near each other at once.

        Raises:
            DataError: the file is shorter than it was, or cannot be read.
        """
        assert not self.is_fortran
        if not len(rows):
            return
        order = np.argsort(rows)
        runs = _Runs(rows[order], self._row_bytes)
        whole_row = np.dtype((np.void, self._row_bytes))  # copied as one value: three times as fast
        into = np.frombuffer(_bytes_of(out), whole_row)
        stage = np.empty(runs.rows_per_stage, whole_row)
        for first, last, firsts, spans, places in runs.stages():
            self._fill(stage, firsts, spans)
            into[order[first:last]] = stage[places]

    @property
    def _row_bytes(self) -> int:
        return prod(self.shape[1:]) * self.dtype.itemsize

    def _fill(self, stage: Array, firsts: Rows, spans: Rows) -> None:
        view, row_bytes, at = _bytes_of(stage), self._row_bytes, 0
        for first, span in zip(firsts.tolist(), spans.tolist(), strict=True):
            stop = at + span * row_bytes
            self._read(view[at:stop], self.offset + first * row_bytes)
            at = stop

    def _read_across(self, rows: range, values: Array) -> None:
        """Of Fortran's order: the rows' values at one place of an example after the other."""
        line = np.empty(len(rows), self.dtype)
        for number in range(prod(self.shape[1:])):
            start = number * len(self) + rows.start
            self._read(_bytes_of(line), self.offset + start * self.dtype.itemsize)
            place: Any = np.unravel_index(number, self.shape[1:], order="F")
            values[(slice(None), *place)] = line

    def _read(self, into: memoryview, position: int) -> None:
        try:
            while len(into):
                num_bytes = os.preadv(self._descriptor.number, [into], position)
                if not num_bytes:
                    raise self._cut_short(position + len(into))
                into, position = into[num_bytes:], position + num_bytes
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise DataError(message, where=self.name) from error

    def _cut_short(self, needed: int) -> DataError:
        found = os.fstat(self._descriptor.number).st_size
        return DataError(
            "the file was cut short while it was in use: "
            f"expected {needed:,} bytes at least, got {found:,}",
            where=self.name,
            hint="put the whole file back; a training goes on with --resume",
        )


class _Runs:
    """Rows in the file's order as runs, each of which is read by one call.

    ``ascending``: the numbers of the rows; some may be there twice.
    """

    def __init__(self, ascending: Rows, row_bytes: int) -> None:
        most = max(1, _STAGE_BYTES // row_bytes)
        begins = (np.diff(ascending) - 1) * row_bytes > _GAP_BYTES
        begins |= np.diff(ascending // most) > 0  # no run is longer than a stage
        self._starts = np.flatnonzero(np.concatenate([[True], begins, [True]]))
        self._firsts = ascending[self._starts[:-1]]
        self._spans = ascending[self._starts[1:] - 1] - self._firsts + 1
        self._ends = np.cumsum(self._spans)
        self.rows_per_stage = min(most, int(self._ends[-1]))
        # Where each row is among all that is read.
        shifts = self._ends - self._spans - self._firsts
        self._places = np.repeat(shifts, np.diff(self._starts)) + ascending

    def stages(self) -> Iterator[tuple[int, int, Rows, Rows, Rows]]:
        """As many runs as fill a stage.

        Of each: its rows from which to which, where its runs begin, their lengths, and where in
        the stage each row is.
        """
        begin = 0
        while begin < len(self._spans):
            base = int(self._ends[begin] - self._spans[begin])
            end = int(np.searchsorted(self._ends, base + self.rows_per_stage, "right"))
            first, last = int(self._starts[begin]), int(self._starts[end])
            runs = slice(begin, end)
            places = self._places[first:last] - base
            yield first, last, self._firsts[runs], self._spans[runs], places
            begin = end


def _bytes_of(values: Array) -> memoryview:
    return values.reshape(-1).view(np.uint8).data
