"""Tables that stay in their file and are no inputs yet: texts stand there as numbers.

What a number stands for is held: all different texts, or tokens, of the whole file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.columns import Column
from bmtrain.data.raw.file_rows import FileRows, Rows

#: Bytes that are read at a time to go through all rows, and that columns taken out of them have.
_BLOCK_BYTES: Final = 1 << 24
_COLUMN_BYTES: Final = 1 << 27


@dataclass(frozen=True, slots=True, eq=False)
class CodedRows:
    """Rows of a table's file, and which of them.

    Attributes:
        file: (rows in the file, ...).
        rows: which of them, in which order; None: all as they are.
    """

    file: FileRows
    rows: Rows | None = None

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.file if self.rows is None else self.rows)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """All examples as the file has them, some at a time."""
        at_once = max(1, _BLOCK_BYTES * len(self.file) // self.file.nbytes)
        for start in range(0, len(self), at_once):
            if self.rows is None:
                yield self.file[start : start + at_once]
            else:
                some = self.rows[start : start + at_once]
                block = np.empty((len(some), *self.file.shape[1:]), self.file.dtype)
                self.file.gather(some, block)
                yield block


@dataclass(frozen=True, slots=True, eq=False)
class CodedColumns(CodedRows):
    """Columns of numbers and of texts: float32 (rows, columns).

    Attributes:
        columns: in the file's order; a missing value is NaN there.
        texts: of a column of texts what its numbers 0, 1, … stand for; None: it is of numbers.
    """

    columns: tuple[Column, ...] = ()
    texts: tuple[Sequence[str] | None, ...] = ()

    def __getitem__(self, rows: Rows) -> CodedColumns:
        """The examples ``rows``, in that order, not read."""
        return dataclasses.replace(self, rows=rows if self.rows is None else self.rows[rows])

    def different_texts(self) -> dict[str, set[str]]:
        """Of each column of texts those that its examples have."""
        places = [place for place, texts in enumerate(self.texts) if texts is not None]
        is_there = [np.zeros(len(self.texts[place] or ()), np.bool_) for place in places]
        for block in self.blocks() if places else ():
            for place, known in zip(places, is_there, strict=True):
                codes = block[:, place]
                known[codes[~np.isnan(codes)].astype(np.int64)] = True
        return {
            self.columns[place].name: {
                (self.texts[place] or ())[code] for code in np.flatnonzero(known).tolist()
            }
            for place, known in zip(places, is_there, strict=True)
        }

    def given_numbers(self, names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """The values that the examples have of each column in ``names``, in the examples' order."""
        place_of = {column.name: place for place, column in enumerate(self.columns)}
        at_once = max(1, _COLUMN_BYTES // (4 * len(self)))
        for start in range(0, len(names), at_once):
            some = names[start : start + at_once]
            found = np.empty((len(some), len(self)), np.float32)
            lengths = [0] * len(some)
            for block in self.blocks():
                for at, name in enumerate(some):
                    values = block[:, place_of[name]]
                    given = values[~np.isnan(values)]
                    found[at, lengths[at] : lengths[at] + len(given)] = given
                    lengths[at] += len(given)
            yield from ((name, found[at, : lengths[at]]) for at, name in enumerate(some))


@dataclass(frozen=True, slots=True, eq=False)
class CodedTokens(CodedRows):
    """Texts as numbers of tokens: int32 (rows, length), as ``bmtrain.data.encodings`` has them.

    Attributes:
        tokens: of the whole file, what the numbers from 2 on stand for; empty where they are bytes.
    """

    tokens: Sequence[str] = ()

    def __getitem__(self, rows: Rows) -> CodedTokens:
        """The examples ``rows``, in that order, not read."""
        return dataclasses.replace(self, rows=rows if self.rows is None else self.rows[rows])

    def counts(self) -> NDArray[np.int64]:
        """(tokens + 2,): how often each number is in the examples."""
        found = np.zeros(len(self.tokens) + 2, np.int64)
        for block in self.blocks():
            found += np.bincount(block.reshape(-1), minlength=len(found))
        return found
