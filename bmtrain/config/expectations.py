"""``SPLIT.METRIC (>=|<=|>|<) NUMBER``: what a finished run must reach."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bmtrain.config.short_forms import METRIC_ALIASES
from bmtrain.config.suggestions import did_you_mean

Operator = Literal[">=", "<=", ">", "<"]
SPLITS = ("train", "validation", "test")

_HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(
    r"\s*(?P<split>[A-Za-z_]+)\.(?P<metric>[A-Za-z0-9_]+)\s*"
    r"(?P<operator>>=|<=|>|<)\s*"
    r"(?P<threshold>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)\s*",
    re.ASCII,
)
_EXAMPLE = "test.accuracy >= 0.97"


class ExpectationSyntaxError(ValueError):
    """A text is no expectation; the message says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A bound on one figure of one split.

    Attributes:
        text: as the user wrote it, without outer blanks.
        metric: in full: ``test.mse`` is about mean_squared_error.
        threshold: finite.
    """

    text: str
    split: Literal["train", "validation", "test"]
    metric: str
    operator: Operator
    threshold: float

    def is_met_by(self, value: float) -> bool:
        """Whether ``value`` keeps the bound; NaN keeps none."""
        return _HOLDS[self.operator](value, self.threshold)


def parse_expectation(text: str) -> Expectation:
    """Read one expectation.

    Raises:
        ExpectationSyntaxError: not of that form, an unknown split, or an infinite number.
    """
    shown = f"'{text}'" if len(text) <= 80 else f"'{text[:79]}…'"
    found = _FORM.fullmatch(text)
    if found is None:
        hint = "; write >= or <=" if re.search(r"=[<>]|==|=", text) else ""
        raise ExpectationSyntaxError(
            f"expected SPLIT.METRIC >=|<=|>|< NUMBER, for example '{_EXAMPLE}', got {shown}"
            + (hint if not re.search("[<>]=", text) else "")
        )
    split, metric, sign = found["split"], found["metric"], found["operator"]
    if split not in SPLITS:
        raise ExpectationSyntaxError(
            f"expected a split of {', '.join(SPLITS)}, got '{split}'{did_you_mean(split, SPLITS)}"
        )
    threshold = float(found["threshold"])
    if not math.isfinite(threshold):
        raise ExpectationSyntaxError(f"expected a finite number, got {found['threshold']}")
    return Expectation(
        text.strip(),
        split,  # type: ignore[arg-type]
        METRIC_ALIASES.get(metric, metric),
        sign,  # type: ignore[arg-type]
        threshold,
    )
