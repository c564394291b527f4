"""A stranger's values as cells of a table: short, whatever they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from bmtrain.config.resolved import flow_text
from bmtrain.config.sections.metrics import is_right_or_wrong
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.evidence import Interval
from bmtrain.figures import count, figure, shape
from bmtrain.pages.content import Table

#: Characters of a value that stands in a table.
_MAX_VALUE: Final = 300
_MAX_ROWS: Final = 2_000


def told(value: Any) -> str:
    """A stranger's value as a short text."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return cut(", ".join(map(told, value)) or "none")
    return cut(str(value))


def setting_text(value: Any) -> str:
    """A setting as it stands in YAML."""
    return cut(flow_text(value))


def cut(text: str, most: int = _MAX_VALUE) -> str:
    """The text, or its begin and …."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def input_text(facts: DataFacts) -> str:
    """What one example is to the model: ``28×28 of uint8``, ``60 tokens``."""
    if facts.vocabulary_size is not None:
        return count(facts.input_shape[0], "token")
    return f"{shape(facts.input_shape)} of {facts.input_dtype}"


def pairs(caption: str, rows: Iterable[tuple[str, str]]) -> Table:
    """What, and its value."""
    return plain_table(caption, ("what", "value"), rows)


def plain_table(
    caption: str,
    header: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    *,
    folded: bool = False,
    note: str = "",
) -> Table:
    """A table whose cells are all texts; of very many rows the first."""
    some = tuple(rows)
    return Table(caption, header, some[:_MAX_ROWS], folded=folded, note=note)


def percent(share: float) -> str:
    """``97.0 %``."""
    return f"{100 * share:.1f}\u00a0%"  # no line ends before the sign


def range_text(interval: Interval) -> str:
    """``93.6 to 98.6 %``."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}\u00a0%"


def metric_text(metric: str, value: float | None) -> str:
    """A figure: shares of right answers in percent, all others as ``figure`` writes them."""
    if value is None or not math.isfinite(value) or not is_right_or_wrong(metric):
        return figure(value)
    return percent(value)
