"""Many texts of which few are different: each different one once, and a number for each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class CodedTexts:
    """A text for each row.

    Attributes:
        codes: int32 (rows,), numbers of ``texts``.
        texts: all different, in the order in which they come; each is there.
    """

    codes: NDArray[np.int32]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        return (self.texts[code] for code in self.codes)

    @overload
    def __getitem__(self, which: int) -> str: ...

    @overload
    def __getitem__(self, which: slice) -> list[str]: ...

    def __getitem__(self, which: int | slice) -> str | list[str]:
        """The text of a row, or those of some."""
        if isinstance(which, slice):
            return [self.texts[code] for code in self.codes[which]]
        return self.texts[int(self.codes[which])]

    def first_rows(self) -> NDArray[np.int64]:
        """Of each of ``texts`` the first row that has it."""
        return np.unique(self.codes, return_index=True)[1]

    def sorted_numbers(self) -> NDArray[np.int64]:
        """(rows,): the place of each row's text among all different ones, sorted."""
        order = sorted(range(len(self.texts)), key=self.texts.__getitem__)
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return place[self.codes]


class TextCoder:
    """Makes ``CodedTexts`` of texts that come some at a time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._codes: list[NDArray[np.int32]] = []

    @property
    def num_texts(self) -> int:
        """How many were different so far."""
        return len(self._numbers)

    def add(self, texts: Sequence[str]) -> None:
        """The texts of the next rows."""
        numbers = self._numbers
        for text in dict.fromkeys(texts):
            numbers.setdefault(text, len(numbers))
        self._codes.append(np.fromiter((numbers[text] for text in texts), np.int32, len(texts)))

    def coded(self) -> CodedTexts:
        """All of them."""
        return CodedTexts(np.concatenate(self._codes), tuple(self._numbers))


#: A text for each row.
Texts = list[str] | CodedTexts


def coded_texts(blocks: Iterable[Sequence[str]]) -> CodedTexts:
    """All rows of ``blocks``, of which there is one at least."""
    coder = TextCoder()
    for block in blocks:
        coder.add(block)
    return coder.coded()
