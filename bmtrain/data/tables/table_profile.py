"""What the columns of a table hold, as far as choosing label and features needs it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.source import Place
from bmtrain.data.tables.cell_blocks import as_grid, laid_out
from bmtrain.data.tables.cells import Cells
from bmtrain.data.wording.identifier_names import names_the_row
from bmtrain.data.wording.number_texts import MISSING_MARKS

if TYPE_CHECKING:
    import polars as pl

Numbers = NDArray[np.float64]
Kind = Literal["integers", "numbers", "texts", "nothing"]
Written = Literal["", "decimal commas", "dates"]

_WRITTEN: Final[dict[Written, str]] = {
    "decimal commas": r"^\s*[+-]?\d+,\d+\s*$",
    "dates": r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d))([T ]+\d.*)?$",
}
#: Counted one by one; of more values nobody wants to read each.
_MAX_COUNTED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of one file.

    Attributes:
        kind: what most of its filled cells hold; ``integers`` may be written as 3.0.
        num_rows: cells.
        num_missing: empty ones, and in numbers those with a mark such as NA.
        num_wrong: in a column of numbers, other texts and what is not finite in float32.
        missing_row: the first missing cell's row, from 0; -1: none is missing.
        wrong_row: that of the first wrong cell, whose text is ``wrong_text``.
        num_distinct: different filled cells.
        counts: how often each value is there, by frequency; empty where they are too many.
        low: the least number; NaN without numbers.
        high: the largest.
        is_row_number: 0, 1, 2 … or 1, 2, 3 … in the order of the rows.
        written: what its texts mostly are instead of numbers: decimal commas, dates; or "".
        unread: the type of cells that are neither numbers nor texts, and count as missing; or "".
    """

    place: Place
    name: str
    kind: Kind
    num_rows: int
    num_missing: int
    num_wrong: int
    missing_row: int
    wrong_row: int
    wrong_text: str
    num_distinct: int
    counts: tuple[tuple[str, int], ...]
    low: float
    high: float
    is_row_number: bool
    written: Written
    unread: str

    @property
    def is_sound(self) -> bool:
        """Whether every cell can be a feature: a finite number."""
        return self.kind in {"integers", "numbers"} and not (self.num_missing or self.num_wrong)

    @property
    def is_constant(self) -> bool:
        """Whether all cells are the same."""
        return self.num_distinct <= 1

    @property
    def is_all_different(self) -> bool:
        """Whether no value is there twice."""
        return self.num_rows > 1 and self.num_distinct == self.num_rows

    @property
    def is_named_identifier(self) -> bool:
        """Whether its name says that it names the row: id, index, customer_id."""
        return names_the_row(self.name)


def profile_table(table: Cells) -> list[Column]:
    """The columns of a table, in its order."""
    num_rows = table.num_rows
    names = iter(table.columns)
    profiles: list[Column] = []
    for cells in laid_out(list(table.columns.values()), num_rows):
        block = _Block(cells, num_rows)
        profiles.extend(_profile(next(names), table, block, at) for at in range(block.num_columns))
    return profiles


class _Block:
    """Many columns at once: (columns, rows) of numbers and of what is none."""

    def __init__(self, cells: pl.Series, num_rows: int) -> None:
        import polars as pl

        marked = cells.str.to_lowercase().is_in(sorted(MISSING_MARKS)).fill_null(value=False)
        self.is_empty = as_grid(cells.is_null(), num_rows).astype(np.bool_)
        self.is_mark = as_grid(marked, num_rows).astype(np.bool_)
        with np.errstate(over="ignore"):
            numbers = as_grid(cells.cast(pl.Float64, strict=False), num_rows)
            self.numbers = numbers.astype(np.float64)  # null: NaN
            self.is_number = np.isfinite(self.numbers.astype(np.float32)) & ~self.is_mark
        self.num_columns = len(self.is_empty)


def _profile(name: str, table: Cells, block: _Block, at: int) -> Column:
    texts = table.columns[name]
    is_empty, is_mark, is_number = (
        grid[at] for grid in (block.is_empty, block.is_mark, block.is_number)
    )
    numbers = block.numbers[at][is_number]
    num_filled = int(np.count_nonzero(~is_empty & ~is_mark))
    kind = _kind(numbers, num_filled)
    are_numbers = kind in {"integers", "numbers"}
    # A text may say "none" or "-" and mean it; among numbers that is a missing one.
    is_missing = is_empty | (is_mark if are_numbers else _are_nan(texts))
    is_wrong = ~is_number & ~is_missing if are_numbers else np.zeros_like(is_missing)
    num_distinct = texts.drop_nulls().n_unique()
    return Column(
        place=table.place,
        name=name,
        kind=kind,
        num_rows=len(texts),
        num_missing=int(is_missing.sum()),
        num_wrong=int(is_wrong.sum()),
        missing_row=int(is_missing.argmax()) if is_missing.any() else -1,
        wrong_row=int(is_wrong.argmax()) if is_wrong.any() else -1,
        wrong_text=str(texts[int(is_wrong.argmax())]) if is_wrong.any() else "",
        num_distinct=num_distinct,
        counts=_counts(texts) if num_distinct <= _MAX_COUNTED else (),
        low=float(numbers.min()) if len(numbers) else float("nan"),
        high=float(numbers.max()) if len(numbers) else float("nan"),
        is_row_number=_is_row_number(numbers, len(texts)),
        written=_written(texts) if kind == "texts" else "",
        unread=table.unread.get(name, ""),
    )


def _are_nan(texts: pl.Series) -> NDArray[np.bool_]:
    """Which texts are "nan", that pandas writes for a missing one; empty ones are not."""
    found = texts.alias("cells").str.to_lowercase() == "nan"
    return found.fill_null(value=False).to_numpy()


def _kind(numbers: Numbers, num_filled: int) -> Kind:
    if not num_filled:
        return "nothing"
    if 2 * len(numbers) <= num_filled:
        return "texts"
    return "integers" if (numbers == np.floor(numbers)).all() else "numbers"


def _written(texts: pl.Series) -> Written:
    filled = texts.drop_nulls()
    for form, pattern in _WRITTEN.items():
        if 2 * int(filled.str.contains(pattern).sum()) > len(filled):
            return form
    return ""


def _counts(texts: pl.Series) -> tuple[tuple[str, int], ...]:
    counts = Counter(str(text) for text in texts.drop_nulls().to_list())
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _is_row_number(numbers: Numbers, num_rows: int) -> bool:
    if num_rows < 2 or len(numbers) != num_rows or numbers[0] not in (0, 1):
        return False
    return bool((np.diff(numbers) == 1).all())
