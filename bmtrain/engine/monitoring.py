"""Of the figures of an epoch, the one that is watched, and whether it is better than before."""

from __future__ import annotations

import math
from collections.abc import Callable

from bmtrain.config.sections.metrics import is_more_better
from bmtrain.config.sections.training import EarlyStopping, TrainingSection


def monitored_value(monitor: str, figures: dict[str, dict[str, float] | None]) -> float | None:
    """Of SPLIT.METRIC, or None where there is no such split, or the figure is undefined on it."""
    split, metric = monitor.split(".")
    value = (figures.get(split) or {}).get(metric)
    return value if value is not None and math.isfinite(value) else None


def is_improvement(
    training: TrainingSection,
    value: float,
    best: float | None,
    more_is_better: Callable[[str], bool] = is_more_better,
) -> bool:
    """Better than ``best`` by more than ``min_delta``; ``more_is_better`` as in ``gain``."""
    if best is None:
        return True
    settings = training.early_stopping or EarlyStopping()
    difference = gain(settings.monitor, settings.mode, value, best, more_is_better)
    return difference > settings.min_delta


def gain(
    monitor: str,
    mode: str,
    value: float,
    best: float,
    more_is_better: Callable[[str], bool] = is_more_better,
) -> float:
    """How much better ``value`` is than ``best``; ``mode`` is min, max, or auto: the figure's.

    ``more_is_better`` says so of a metric.
    """
    is_upwards = mode == "max" or (mode == "auto" and more_is_better(monitor.split(".")[1]))
    return value - best if is_upwards else best - value
