"""K folds of the training part: each is the validation split once, and trains K − 1 times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.splits.group_splits import deal_groups
from bmtrain.data.splits.order import FOLD_STREAM, random_order
from bmtrain.errors import DataError

Indices = NDArray[np.int64]
_KEY = ("data", "splits", "fold")


@dataclass(frozen=True, slots=True)
class Fold:
    """Fold ``number`` of ``count``, 1 ≤ number ≤ count, count ≥ 2."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Fold:
        """``2/5``. Raises ValueError, saying what was expected."""
        number, slash, count = text.partition("/")
        is_sound = slash and all(
            part.isascii() and part.isdecimal() and len(part) <= 4 for part in (number, count)
        )
        fold = cls(int(number), int(count)) if is_sound else None
        if fold is None or not 1 <= fold.number <= fold.count or fold.count < 2:
            raise ValueError("expected k/K, a fold from 1 to K of at least 2, 2/5 for example")
        return fold

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def fold_of_rows(
    strata: NDArray[np.int32], groups: Indices | None, num_folds: int, *, seed: int
) -> Indices:
    """The fold of each row, (rows,), 0 ≤ fold < num_folds: a pure function.

    Without groups sizes differ by one row at most, in each stratum too. With groups each is in
    one fold alone: see ``deal_groups``.

    Args:
        strata: (rows,) the class of each row; all 0 deals without strata.
        groups: (rows,) the group of each row, or None.

    Raises:
        DataError: fewer rows or groups than folds, or a class with one row alone.
    """
    if groups is not None:
        fractions = [1 / num_folds] * num_folds
        return deal_groups(groups, strata, fractions, seed=seed, stream=FOLD_STREAM)
    if len(strata) < num_folds:
        raise DataError(f"{len(strata):,} examples are too few for {num_folds} folds", key=_KEY)
    shuffled = random_order(len(strata), seed=seed, stream=FOLD_STREAM)
    by_class = shuffled[np.argsort(strata[shuffled], kind="stable")]
    folds = np.empty(len(strata), np.int64)
    folds[by_class] = np.arange(len(strata)) % num_folds
    return folds
