"""Which examples are held out: seeded draws, stratified by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.splits.group_splits import deal_groups
from bmtrain.data.splits.order import SUBSET_STREAM, TEST_STREAM, VALIDATION_STREAM, random_order
from bmtrain.data.wording.near_names import same_but_for_case
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DrawnSplits:
    """Row numbers, ascending; together each row of the source's training part once."""

    train: Indices
    validation: Indices
    test: Indices


def draw_splits(
    strata: NDArray[np.int32],
    *,
    validation: float | None,
    test: float | None,
    seed: int,
    names: tuple[str, ...] | None = None,
) -> DrawnSplits:
    """Hold out fractions of all rows: test first, then validation; the rest is train.

    A split of fraction f has f·rows rows, rounded half up, and of each stratum f of
    its rows by the method of largest remainders, at least one. A pure function.

    Args:
        strata: (rows,) the class of each row; all 0 draws without strata.
        validation: fraction f, or None.
        test: fraction f, or None.
        seed: of the experiment.
        names: of the strata, for errors; None where there are none.

    Raises:
        DataError: a stratum has fewer rows than there are splits, or a split is empty.
    """
    counts = np.bincount(strata)
    num_splits = 1 + (validation is not None) + (test is not None)
    _require_one_for_each(counts, num_splits, names)
    left = np.arange(len(strata), dtype=np.int64)
    drawn = {}
    wanted = (("test", test, TEST_STREAM), ("validation", validation, VALIDATION_STREAM))
    for name, fraction, stream in wanted:
        if fraction is None:
            drawn[name] = left[:0]
            continue
        num_splits -= 1
        left_counts = np.bincount(strata[left], minlength=len(counts))
        total = int(np.floor(fraction * len(strata) + 0.5))
        sizes = _apportion(fraction * counts, total, left_counts - num_splits, name)
        drawn[name], left = _draw(strata, left, sizes, seed, stream)
    return DrawnSplits(train=left, validation=drawn["validation"], test=drawn["test"])


def draw_groups(
    strata: NDArray[np.int32],
    groups: Indices,
    *,
    validation: float | None,
    test: float | None,
    seed: int,
) -> DrawnSplits:
    """The same in whole groups, sizes as near as these allow: see ``deal_groups``.

    Test is drawn first, so that it does not depend on whether there is a validation split.
    """
    left = np.arange(len(strata), dtype=np.int64)
    drawn = {"test": left[:0], "validation": left[:0]}
    wanted = (("test", test, TEST_STREAM), ("validation", validation, VALIDATION_STREAM))
    for name, fraction, stream in wanted:
        if fraction is None:
            continue
        share = fraction * len(strata) / len(left)
        parts = deal_groups(
            groups[left],
            strata[left],
            (1 - share, share),
            seed=seed,
            stream=stream,
            # Test leaves two: one may be for validation.
            least=(2, 1) if name == "test" else (1, 1),
        )
        is_drawn = parts == 1
        drawn[name], left = left[is_drawn], left[~is_drawn]
    return DrawnSplits(train=left, validation=drawn["validation"], test=drawn["test"])


def _require_one_for_each(counts: Indices, num_splits: int, names: tuple[str, ...] | None) -> None:
    for stratum in np.flatnonzero((counts > 0) & (counts < num_splits)):
        what = f"class {quoted(names[stratum])}" if names else "the training part"
        same = same_but_for_case(names[stratum], names) if names else None
        raise DataError(
            f"{what} has {_examples(counts[stratum])}, too few to appear in each of "
            f"{num_splits} splits",
            key=("data", "splits"),
            hint=None if same is None else f"did you mean {quoted(same)}?",
        )


def draw_subset(strata: NDArray[np.int32], num_examples: int, *, seed: int) -> Indices:
    """``num_examples`` of the rows, ascending, in the strata's proportions, at least one each."""
    counts = np.bincount(strata)
    rows = np.arange(len(strata), dtype=np.int64)
    if num_examples > len(strata):
        raise DataError(
            f"expected at most the {_examples(len(strata))} of the training split, "
            f"got {num_examples:,}",
            key=("data", "train_examples"),
        )
    if num_examples < np.count_nonzero(counts):
        raise DataError(
            f"{_examples(num_examples)} cannot hold one of each of the "
            f"{np.count_nonzero(counts)} classes",
            key=("data", "train_examples"),
        )
    quotas = counts * (num_examples / len(strata))
    sizes = _apportion(quotas, num_examples, counts, "train")
    return _draw(strata, rows, sizes, seed, SUBSET_STREAM)[0]


def _apportion(quotas: NDArray[np.floating], total: int, most: Indices, split_name: str) -> Indices:
    """Whole numbers near ``quotas`` with the sum ``total``, from 1 to ``most`` each.

    Largest remainders (Hamilton's method); ties go to the lower class number. Where
    the bounds bind, the next largest remainders give or take.
    """
    is_present = quotas > 0
    least = is_present.astype(np.int64)
    if total < least.sum() or total > np.maximum(most, 0)[is_present].sum():
        raise DataError(
            f"the {split_name} split would have {_examples(total)}; it needs {least.sum():,} "
            f"at least, and can have {int(np.maximum(most, 0)[is_present].sum()):,} at most "
            "(one per class in each split)",
            key=("data", "splits", split_name),
        )
    most = np.where(is_present, most, 0)
    sizes: Indices = np.clip(np.floor(quotas).astype(np.int64), least, most)
    while (missing := total - int(sizes.sum())) != 0:
        step = 1 if missing > 0 else -1
        can_move = np.flatnonzero(sizes < most if step > 0 else sizes > least)
        by_need = can_move[np.argsort(step * (sizes - quotas)[can_move], kind="stable")]
        sizes[by_need[: abs(missing)]] += step
    return sizes


def _draw(
    strata: NDArray[np.int32], left: Indices, sizes: Indices, seed: int, stream: int
) -> tuple[Indices, Indices]:
    """Draw ``sizes[c]`` of the rows ``left`` of each class c; returns (drawn, still left)."""
    shuffled = left[random_order(len(left), seed=seed, stream=stream)]
    by_class = shuffled[np.argsort(strata[shuffled], kind="stable")]
    counts = np.bincount(strata[by_class], minlength=len(sizes))
    first = np.repeat(np.cumsum(counts) - counts, counts)
    rank_in_class = np.arange(len(by_class)) - first
    is_drawn = rank_in_class < np.repeat(sizes, counts)
    return np.sort(by_class[is_drawn]), np.sort(by_class[~is_drawn])


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count:,} examples"
