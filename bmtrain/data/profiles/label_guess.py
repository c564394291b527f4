"""Which column of a table is most likely the label, and the signs that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bmtrain.data.tables.table_profile import Column

#: What people call the column to predict, the clearest names first.
_LABEL_NAMES: Final = (
    *("label", "labels", "target", "targets", "class", "classes", "y", "ground_truth"),
    *("outcome", "species", "category", "diagnosis", "response", "output", "result", "survived"),
)
#: Values of a class label; more are most likely numbers to be predicted, or names.
MAX_CLASSES: Final = 100
_MAX_INTEGER_CLASSES: Final = 20
#: Signs that weigh about as much make a guess that should be looked at.
_CLOSE: Final = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A column that may be the label, and why; ``weight`` sums up how clear the signs are."""

    column: Column
    weight: int
    signs: tuple[str, ...]

    @property
    def reason(self) -> str:
        """The signs as a sentence's end: it is named 'y' and is the last column."""
        *first, last = self.signs
        return f"it {', '.join(first)} and {last}" if first else f"it {last}"


@dataclass(frozen=True, slots=True)
class LabelGuess:
    """The likeliest label, the others in the order of their likelihood."""

    best: Candidate
    others: tuple[Candidate, ...]

    @property
    def is_ambiguous(self) -> bool:
        """Whether another column is nearly as likely."""
        return bool(self.others) and self.others[0].weight + _CLOSE >= self.best.weight


def are_classes(column: Column) -> bool:
    """Whether the values are most likely classes: texts, or few different integers."""
    if column.kind == "texts":
        return True
    num_filled = column.num_rows - column.num_missing
    few = min(_MAX_INTEGER_CLASSES, max(2, num_filled // 5))
    return column.kind == "integers" and not column.num_wrong and column.num_distinct <= few


def guess_label(columns: Sequence[Column]) -> LabelGuess | None:
    """The column whose signs are clearest, a later one where they are equal; None if none can be."""
    possible = [column for column in columns if _can_be_label(column)]
    num_texts = sum(column.kind == "texts" for column in possible)
    found = []
    for column in possible:
        signs = list(_signs(column, columns, num_texts))
        if signs:
            weight = sum(weight for weight, _ in signs)
            found.append(Candidate(column, weight, tuple(text for _, text in signs)))
    found.sort(key=lambda candidate: -candidate.weight)
    return LabelGuess(found[0], tuple(found[1:])) if found else None


def _can_be_label(column: Column) -> bool:
    if column.kind == "nothing" or column.is_constant:
        return False
    if column.kind == "texts":
        # Each value often enough to be learnt, on the whole: else it is a name or a remark.
        num_filled = column.num_rows - column.num_missing
        is_named = column.name.strip().lower() in _LABEL_NAMES and not column.is_all_different
        return is_named or column.num_distinct <= min(MAX_CLASSES, max(2, num_filled // 2))
    return not (column.is_all_different and (column.is_named_identifier or column.is_row_number))


def _signs(column: Column, columns: Sequence[Column], num_texts: int) -> Iterator[tuple[int, str]]:
    """(weight, words), the heaviest first."""
    name = column.name.strip().lower()
    words = re.split(r"[\W_]+", name)
    if name in _LABEL_NAMES:
        yield 100 - 2 * _LABEL_NAMES.index(name), f"is named {name!r}"
    elif named := [word for word in _LABEL_NAMES if word in words]:
        yield 60, f"has {named[0]!r} in its name"
    if column.kind == "texts" and num_texts == 1:
        yield 45, f"alone has texts of few kinds ({column.num_distinct})"
    elif column.kind == "texts":
        yield 25, f"has texts of {column.num_distinct} kinds"
    elif are_classes(column):
        yield 15, f"has {column.num_distinct} different whole numbers only"
    if column is columns[-1]:
        yield 30, "is the last column"
    elif column is columns[0] and are_classes(column):
        yield 10, "is the first column"
