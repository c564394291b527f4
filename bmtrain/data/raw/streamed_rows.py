"""Examples that stay in their file, and which of its rows they are.

Whoever uses them takes a block at a time. What the system keeps of the file it takes back when it
needs the memory; only the blocks are this process's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.file_rows import Array, FileRows, Rows

#: Values of a block where nothing else decides how many are read at a time.
BLOCK_VALUES: Final = 1 << 22
#: Of what is streamed at once: so much that to begin it costs nothing.
STREAM_BYTES: Final = 1 << 24
#: Bytes that are read at a time where they become another dtype.
_CONVERTED_BYTES: Final = 1 << 22
#: How often that is there: filled, waiting, and on the device.
_STREAM_COPIES: Final = 3


class Recoding(Protocol):
    """What makes inputs of what the file has."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one example, made."""
        ...

    def recode(self, stored: Array, out: Array) -> None:
        """``stored`` (rows, ...) as the file has them into ``out`` (rows, *shape), C-contiguous."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StreamedRows:
    """(examples, ...) as an array has them; what is asked for is read then.

    Attributes:
        file: (examples in the file, ...) in the file's own dtype.
        dtype: of what is given out.
        rows: which examples of the file, in which order; None: all as they are.
        recoding: what makes inputs of the file's values; None: they are.
    """

    file: FileRows
    dtype: np.dtype[np.generic]
    rows: Rows | None = None
    recoding: Recoding | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array; one number per example is (examples, 1)."""
        if self.recoding is not None:
            return len(self), *self.recoding.shape
        return len(self), *(self.file.shape[1:] or (1,))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """What all of them would take in memory."""
        return prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.file if self.rows is None else self.rows)

    def __getitem__(self, which: int | slice | Rows) -> Array:
        """The examples ``which``, read; of one number that example."""
        if isinstance(which, int):
            number = range(len(self))[which]
            example: Array = self[number : number + 1][0]
            return example
        if isinstance(which, slice) and self.rows is None:
            read = self.file[which]
            if self.recoding is None:
                return read.astype(self.dtype, copy=False).reshape(len(read), *self.shape[1:])
            block = np.empty((len(read), *self.shape[1:]), self.dtype)
            self._make(read, block)
            return block
        rows = np.arange(len(self))[which] if self.rows is None else self.rows[which]
        block = np.empty((len(rows), *self.shape[1:]), self.dtype)
        self._gather(rows, block)
        return block

    def read_into(self, block: Array, which: Rows) -> None:
        """The examples ``which`` as the first rows of ``block``, of this dtype and example shape.

        DataError where the file has become shorter.
        """
        self._gather(which if self.rows is None else self.rows[which], block)

    def _gather(self, rows: Rows, block: Array) -> None:
        file = self.file
        if self.recoding is None and file.dtype == block.dtype and file.dtype.isnative:
            file.gather(rows, block)
            return
        at_once = max(1, _CONVERTED_BYTES * len(file) // file.nbytes)
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            read = np.empty((len(some), *file.shape[1:]), file.dtype)
            file.gather(some, read)
            self._make(read, block[start : start + len(some)])

    def stored(self, which: Rows) -> Array:
        """The examples ``which`` as the file has them."""
        read = np.empty((len(which), *self.file.shape[1:]), self.file.dtype)
        self.file.gather(which if self.rows is None else self.rows[which], read)
        return read

    def _make(self, read: Array, inputs: Array) -> None:
        if self.recoding is None:
            inputs[:] = read.reshape(inputs.shape)
        else:
            self.recoding.recode(read, inputs)

    def rows_at_once(self, batch_size: int) -> int:
        """Examples that are streamed together: whole batches, one at least, of 16 MB if they are small."""
        batch_bytes = batch_size * prod(self.shape[1:]) * self.dtype.itemsize
        return max(1, STREAM_BYTES // batch_bytes) * batch_size

    def bytes_at_once(self, batch_size: int) -> int:
        """What is in memory of those that are streamed."""
        values = prod(self.shape[1:]) * self.rows_at_once(batch_size)
        ahead = 0 if self.recoding is None else STREAM_BYTES
        return _STREAM_COPIES * values * self.dtype.itemsize + ahead

    def taken(self, which: Rows) -> StreamedRows:
        """The examples ``which`` in that order, not read."""
        return dataclasses.replace(self, rows=which if self.rows is None else self.rows[which])


class OrderedReader:
    """Reads examples in an order, some after the others.

    What a recoding makes large is small in its file: there many are read at once, which then lie
    near each other.
    """

    def __init__(self, features: StreamedRows) -> None:
        self._features = features
        self._order: NDArray[np.integer[Any]] | None = None
        self._read = range(0)
        self._stored: Array | None = None

    def read_into(self, block: Array, order: NDArray[np.integer[Any]], start: int) -> None:
        """The examples ``order[start:]``, as many as there are, as the first rows of ``block``.

        DataError where the file has become shorter.
        """
        features, wanted = self._features, range(start, min(start + len(block), len(order)))
        if features.recoding is None:
            features.read_into(block, order[start : wanted.stop].astype(np.int64))
            return
        is_there = wanted.start in self._read and wanted[-1] in self._read
        if order is not self._order or not is_there or self._stored is None:
            at_once = max(len(block), STREAM_BYTES * len(features.file) // features.file.nbytes)
            rows = order[start : start + at_once].astype(np.int64)
            self._order, self._read = order, range(start, start + len(rows))
            self._stored = None
            self._stored = features.stored(rows)
        first = start - self._read.start
        stored = self._stored[first : first + len(wanted)]
        features.recoding.recode(stored, block[: len(wanted)])


#: What the inputs of a split are.
Features = Array | StreamedRows


def held(features: Features) -> Array:
    """All of them in memory."""
    return features[:] if isinstance(features, StreamedRows) else features


def taken(features: Features, which: Rows) -> Features:
    """The examples ``which``, in that order; mapped ones stay in their file."""
    return features.taken(which) if isinstance(features, StreamedRows) else features[which]


def evenly_spaced(features: Features) -> Array:
    """An array as it is; of mapped rows those in equal distances that make a block."""
    if not isinstance(features, StreamedRows):
        return features
    return features[spaced_rows(features)]


def spaced_rows(features: StreamedRows) -> Rows:
    """The numbers of as many examples, in equal distances, as make a block."""
    most = max(1, BLOCK_VALUES // prod(features.shape[1:]))
    number = min(len(features), most)
    return np.linspace(0, len(features) - 1, number).astype(np.int64)


def row_blocks(features: Features, num_rows: int) -> Iterator[tuple[int, Array]]:
    """(number of the first, examples), ``num_rows`` at a time."""
    for start in range(0, len(features), num_rows):
        yield start, features[start : start + num_rows]


def value_blocks(features: Features, num_values: int = BLOCK_VALUES) -> Iterator[Array]:
    """(rows, values of an example): all examples, about ``num_values`` values at a time."""
    width = prod(features.shape[1:])
    for _, block in row_blocks(features, max(1, num_values // width)):
        yield block.reshape(len(block), width)
