"""Groups of published splits: whose examples must stay on one side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.coded_texts import CodedTexts, Texts
from bmtrain.data.raw.source import RawPart, SplitName
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError
from bmtrain.figures import count


def group_numbers(groups: Texts) -> NDArray[np.int64]:
    """(examples,): the place of each group among all different ones, sorted."""
    if isinstance(groups, CodedTexts):
        return groups.sorted_numbers()
    return np.unique(groups, return_inverse=True)[1]


def require_no_shared_groups(parts: Mapping[SplitName, RawPart]) -> None:
    """DataError at the first row whose group is in a split before it, too."""
    for (first, one), (second, other) in combinations(parts.items(), 2):
        known = set(one.groups or ())
        groups = other.groups or ()
        shared = known.intersection(groups)
        if not shared:
            continue
        row = next(row for row, text in enumerate(groups) if text in shared)
        where = other.features_at.row(row)
        others = len(shared) - 1
        more = f", and {count(others, 'more group')} likewise" if others else ""
        raise DataError(
            f"the group {quoted(groups[row])} is in {first} and in {second} ({Path(where).name}){more}",
            where=where,
            key=("data", "splits", "group"),
            hint=f"keep each group in one of the files, or give one file and let "
            f"data.splits.{second} be a fraction: groups are kept whole",
        )
