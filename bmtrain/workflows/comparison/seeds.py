"""Groups of runs of one config under several seeds: the trainings are the sample.

Welch's t-test of the figure per seed; p by Holm's correction where there are several pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from bmtrain.evidence import welch
from bmtrain.workflows.comparison.evidence import Evidence, corrected, judged, untested
from bmtrain.workflows.comparison.runs import ComparedRun

#: Fewer seeds say next to nothing of how much a seed matters.
MIN_SEEDS: Final = 3


@dataclass(frozen=True, slots=True)
class SeedGroup:
    """Runs whose configs are the same but for seed and name; one run per seed counts."""

    runs: tuple[ComparedRun, ...]
    figure: str

    @property
    def label(self) -> str:
        """``A, C, E``."""
        return ", ".join(run.label for run in self.runs)

    @property
    def by_seed(self) -> dict[int, float]:
        """The figure by seed; of two runs of one seed the first, as the second says nothing new."""
        found: dict[int, float] = {}
        for run in self.runs:
            value = run.figure(self.figure)
            if value is not None:
                found.setdefault(run.seed, value)
        return found

    @property
    def is_testable(self) -> bool:
        """Whether it has enough seeds."""
        return len(self.by_seed) >= MIN_SEEDS

    def document(self) -> dict[str, Any]:
        """For JSON: runs, seeds, mean and sample standard deviation."""
        values = list(self.by_seed.values())
        return {
            "runs": [run.label for run in self.runs],
            "seeds": sorted(self.by_seed),
            "mean": float(np.mean(values)) if values else None,
            "standard_deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "is_tested": self.is_testable,
        }


def seed_groups(runs: Sequence[ComparedRun], figure: str) -> list[SeedGroup]:
    """The runs by what they have in common but for seed and name, in the order given."""
    found: dict[Any, list[ComparedRun]] = {}
    for run in runs:
        found.setdefault(run.method, []).append(run)
    return [SeedGroup(tuple(members), figure) for members in found.values()]


def seeds_evidence(groups: Sequence[SeedGroup]) -> list[Evidence]:
    """Each pair of groups with enough seeds."""
    testable = [group for group in groups if group.is_testable]
    found = [_across_seeds(*pair) for pair in combinations(testable, 2)]
    return corrected(found, testable[0].runs[0].experiment.more_is_better) if found else []


def _across_seeds(first: SeedGroup, second: SeedGroup) -> Evidence:
    samples = [list(group.by_seed.values()) for group in (first, second)]
    found = welch(*samples)
    if found is None:
        reason = "no seed made any difference"
        return untested("seeds", first.label, second.label, first.figure, reason)
    return judged(
        Evidence(
            kind="seeds",
            first=first.label,
            second=second.label,
            figure=first.figure,
            test=f"Welch's t-test, {len(samples[1])} and {len(samples[0])} seeds",
            difference=found.difference,
            interval=found.interval,
            p=found.p,
            p_adjusted=None,
            verdict="no evidence",
        ),
        first.runs[0].experiment.more_is_better,
    )
