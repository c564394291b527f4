"""Groups of published splits: whose examples must stay on one side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from bmtrain.data.raw.source import RawPart, SplitName
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError


def require_no_shared_groups(parts: Mapping[SplitName, RawPart]) -> None:
    """DataError at the first row whose group is in a split before it, too."""
    for (first, one), (second, other) in combinations(parts.items(), 2):
        known = set(one.groups or ())
        for row, text in enumerate(other.groups or ()):
            if text in known:
                raise DataError(
                    f"the group {quoted(text)} is in {first} and in {second}",
                    where=other.features_at.row(row),
                    key=("data", "splits", "group"),
                )
