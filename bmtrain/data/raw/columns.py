"""A table's columns before they are inputs: numbers with gaps, texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Column:
    """What is read of one column of a table.

    Attributes:
        name: in the header; columns are found by it.
        holds: numbers, or texts as they are without spaces around them.
        may_be_missing: whether a cell may be empty or hold a mark such as NA.
        is_feature: whether ``data.features`` is about it, and ``data.missing``; a column of
            weights is none, and that of ``data.text``.
    """

    name: str
    holds: Literal["numbers", "texts"] = "numbers"
    may_be_missing: bool = False
    is_feature: bool = True


@dataclass(frozen=True, slots=True)
class Beside:
    """Columns of a table that are no features: their names, None where there is none.

    Attributes:
        label: what is to be predicted, read as texts.
        weight: what each example counts, read as numbers.
        group: whose examples stay together, read as texts.
    """

    label: str | None = None
    weight: str | None = None
    group: str | None = None

    @property
    def numbers(self) -> tuple[Column, ...]:
        """Those that are read as numbers."""
        return () if self.weight is None else (Column(self.weight, is_feature=False),)

    @property
    def texts(self) -> tuple[str, ...]:
        """Those that are read as texts."""
        return tuple(name for name in (self.label, self.group) if name is not None)


@dataclass(frozen=True, slots=True)
class RawColumns:
    """Columns by name, each of one value per example.

    Attributes:
        numbers: float32 (examples,), NaN where the value is missing.
        texts: null where the value is missing.
    """

    numbers: Mapping[str, NDArray[np.float32]]
    texts: Mapping[str, pl.Series]

    def __len__(self) -> int:
        """Number of examples."""
        lengths = [len(values) for values in self.numbers.values()]
        return max(lengths + [len(values) for values in self.texts.values()])

    def __getitem__(self, rows: NDArray[np.int64]) -> RawColumns:
        """The examples ``rows``, in that order."""
        return RawColumns(
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values.gather(rows.astype(np.uint32)) for name, values in self.texts.items()},
        )

    def different_texts(self) -> dict[str, set[str]]:
        """Of each column of texts those that its examples have."""
        return {
            name: set(cells.drop_nulls().unique().to_list()) for name, cells in self.texts.items()
        }

    def given_numbers(self, names: Sequence[str]) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """The values that the examples have of each column in ``names``, in the examples' order."""
        for name in names:
            values = self.numbers[name]
            yield name, values[~np.isnan(values)]


def number_columns(names: Sequence[str]) -> tuple[Column, ...]:
    """Columns that hold a number in each row."""
    return tuple(Column(name) for name in names)


def are_all_numbers(columns: Sequence[Column]) -> bool:
    """Whether the columns together are a matrix: a number in each cell."""
    return all(column.holds == "numbers" and not column.may_be_missing for column in columns)
