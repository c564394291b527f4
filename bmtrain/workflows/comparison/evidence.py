"""What a comparison says, in figures and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from bmtrain.config.sections.metrics import is_more_better, is_right_or_wrong
from bmtrain.evidence import Interval, holm

_SIGNIFICANT: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a comparison of two runs, or of two groups of runs, says.

    Attributes:
        first, second: letters of the runs: ``A``, or ``A, C, E``.
        difference: second − first.
        p: two-sided; ``p_adjusted``: for all comparisons together.
        verdict: ``better``: the second is; ``worse``: the first is.
    """

    kind: Literal["models", "seeds"]
    first: str
    second: str
    figure: str
    test: str
    difference: float
    interval: Interval | None
    p: float | None
    p_adjusted: float | None
    verdict: Literal["better", "worse", "no evidence", "untested"]
    reason: str | None = None

    def document(self) -> dict[str, Any]:
        """For JSON, with the words."""
        return {**asdict(self), "text": self.text()}

    def text(self) -> str:
        """In words: who is better, by how much, and by which test."""
        if self.verdict == "untested":
            return f"{self.second} against {self.first}: not tested: {self.reason}"
        where = "on this test set" if self.kind == "models" else "across seeds"
        if self.verdict == "no evidence":
            if self.reason is not None:
                return f"no evidence of a difference: {self.reason}"
            about = f"{self.second} against {self.first}, {self._numbers(self.difference)}"
            return f"no evidence of a difference {where}: {about}"
        turned = self.verdict == "worse"
        winner, loser = (self.first, self.second) if turned else (self.second, self.first)
        verb = "are" if "," in winner else "is"
        return (
            f"{winner} {verb} better than {loser} {where}: "
            f"{self._numbers(-self.difference if turned else self.difference, turned=turned)}"
        )

    def _numbers(self, difference: float, *, turned: bool = False) -> str:
        metric = self.figure.partition(".")[2]
        scale, unit = (100, " points") if is_right_or_wrong(metric) else (1, "")
        digits = _digits(self.interval, scale)
        text = f"{metric} {difference * scale:+.{digits}f}{unit}"
        if self.interval is not None:
            ends = [self.interval.low * scale, self.interval.high * scale]
            low, high = [-end for end in reversed(ends)] if turned else ends
            text += f", 95 % interval {low:.{digits}f} to {high:.{digits}f}"
        if self.p is None:
            return text
        shown = self.p if self.p_adjusted is None else self.p_adjusted
        corrected = "" if self.p_adjusted is None else ", by Holm's correction"
        return f"{text} ({self.test}, p {_p_text(shown)}{corrected})"


def _digits(interval: Interval | None, scale: float) -> int:
    """Decimals that show two digits of half the interval's width."""
    if interval is None or interval.high <= interval.low:
        return 2
    reach = (interval.high - interval.low) * scale / 2
    return int(np.clip(1 - np.floor(np.log10(reach)), 2, 8))


def _p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}" if p < 0.1 else f"= {p:.2f}"


def untested(
    kind: Literal["models", "seeds"], first: str, second: str, figure: str, reason: str
) -> Evidence:
    """What cannot be tested, and why."""
    return Evidence(
        kind=kind,
        first=first,
        second=second,
        figure=figure,
        test="none",
        difference=float("nan"),
        interval=None,
        p=None,
        p_adjusted=None,
        verdict="untested",
        reason=reason,
    )


def corrected(
    found: list[Evidence], more_is_better: Callable[[str], bool] = is_more_better
) -> list[Evidence]:
    """Judged by p-values for all of them together; the intervals stay those of one each."""
    tested = [index for index, entry in enumerate(found) if entry.p is not None]
    if len(tested) < 2:
        return found
    adjusted = holm([entry.p for entry in found if entry.p is not None])
    for index, p in zip(tested, adjusted, strict=True):
        adjusted_entry = replace(found[index], p_adjusted=p, verdict="no evidence")
        found[index] = judged(adjusted_entry, more_is_better)
    return found


def judged(evidence: Evidence, more_is_better: Callable[[str], bool] = is_more_better) -> Evidence:
    """A difference is one if p is under 0.05 and the interval does not hold 0.

    ``more_is_better`` says so of a metric.
    """
    p = evidence.p if evidence.p_adjusted is None else evidence.p_adjusted
    assert p is not None
    assert evidence.interval is not None
    if p >= _SIGNIFICANT or not evidence.interval.excludes_zero():
        return evidence
    is_better = (evidence.difference > 0) == more_is_better(evidence.figure.partition(".")[2])
    return replace(evidence, verdict="better" if is_better else "worse")
