"""Whether attributions add up to what they explain: the axiom of completeness. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: The share of F(x) − F(x') by which the sum of the attributions may miss it.
TOLERANCE: Final = 0.01
#: The same of |F(x)| + |F(x')|: float32 tells no smaller change of nearly equal numbers.
_ROUNDING: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Integral:
    """Integrated gradients of one example.

    Attributes:
        attributions: float64, of the inputs' shape, or summed over some of its axes.
        score: F(x), and ``baseline_score`` F(x').
        num_steps: places of the path at which the gradient was taken.
    """

    attributions: NDArray[np.float64]
    score: float
    baseline_score: float
    num_steps: int

    @property
    def total(self) -> float:
        """Σ attributions, which is F(x) − F(x') of the exact integral."""
        return float(self.attributions.sum())

    @property
    def error(self) -> float:
        """|Σ attributions − (F(x) − F(x'))|."""
        return abs(self.total - (self.score - self.baseline_score))

    @property
    def relative_error(self) -> float | None:
        """The same as a share of |F(x) − F(x')|; None where that is 0."""
        change = abs(self.score - self.baseline_score)
        return self.error / change if change else None

    @property
    def is_complete(self) -> bool:
        """Whether the error is within 1 % of the change, or within what float32 can tell."""
        change = abs(self.score - self.baseline_score)
        rounding = _ROUNDING * (abs(self.score) + abs(self.baseline_score))
        return self.error <= max(TOLERANCE * change, rounding)
