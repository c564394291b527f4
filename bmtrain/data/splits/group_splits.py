"""Whole groups of examples dealt to parts, each part near its size and its share of each class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.splits.order import random_order
from bmtrain.errors import DataError


def deal_groups(
    groups: NDArray[np.int64],
    strata: NDArray[np.int32],
    fractions: Sequence[float],
    *,
    seed: int,
    stream: int,
    least: Sequence[int] | None = None,
) -> NDArray[np.int64]:
    """The part of each row, (rows,); a group is in one part alone.

    Greedy, as scikit-learn's ``StratifiedGroupKFold``: the largest groups first, equal ones in
    a seeded order, each to the part where Σ over strata s of ((rows of s in the part) − (its
    fraction of all rows of s))² / (all rows of s)² grows least. So sizes are near the fractions as
    far as whole groups allow; the best of all is a problem without a fast solution.

    Args:
        groups: (rows,) the number of each row's group; numbers need not be dense.
        strata: (rows,) the class of each row; all 0 deals by size alone.
        fractions: of each part; their sum is 1.
        seed: of the experiment; ``stream``: what the order is for.
        least: how many groups each part must have; None: one.

    Raises:
        DataError: there are fewer groups than parts.
    """
    _, numbers = np.unique(groups, return_inverse=True)
    num_groups, num_parts = int(numbers.max()) + 1, len(fractions)
    needed = np.ones(num_parts, np.int64) if least is None else np.array(least)
    if num_groups < needed.sum():
        raise DataError(
            f"{num_groups:,} {'group' if num_groups == 1 else 'groups'}, too few for "
            f"{needed.sum()} parts without a group on both sides",
            key=("data", "splits", "group"),
        )
    counts = np.zeros((num_groups, int(strata.max()) + 1))
    np.add.at(counts, (numbers, strata), 1)
    totals = counts.sum(axis=0)
    counts, totals = counts[:, totals > 0], totals[totals > 0]
    shares = counts / totals
    missing = np.repeat(np.array(fractions)[:, None], len(totals), axis=1)
    shuffled = random_order(num_groups, seed=seed, stream=stream)
    order = shuffled[np.argsort(-counts.sum(axis=1)[shuffled], kind="stable")]
    part_of = np.zeros(num_groups, np.int64)
    for at, group in enumerate(order):
        growth = (shares[group] * (shares[group] - 2 * missing)).sum(axis=1)
        if needed.sum() == num_groups - at:  # none of the groups that are left can be spared
            growth[needed == 0] = np.inf
        part = growth.argmin()
        part_of[group] = part
        missing[part] -= shares[group]
        needed[part] = max(0, needed[part] - 1)
    return part_of[numbers]
