"""What the curves say, by stated rules: whether a training had settled, and whether it overfits.

All rules measure against the whole fall of a loss: its first value less its least. The trend at
the end is the least-squares line through the last fifth of the epochs, three at least.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from bmtrain.figures import count, figure
from bmtrain.workflows.reporting.reading import ReportedRun, number_at

#: (epoch, value), by epoch.
Points = Sequence[tuple[float, float]]

#: Of fewer epochs no trend is read.
_MIN_EPOCHS: Final = 5
_LAST_FIFTH: Final = 5
_MIN_FITTED: Final = 3
#: A change of less than this share of the whole fall is none.
_TELLING: Final = 0.05
#: A train loss under this share of the validation loss says that the model overfits.
_FAR_BELOW: Final = 0.5


@dataclass(frozen=True, slots=True)
class Trend:
    """How a loss went.

    Attributes:
        kind: at the end; "unknown": there are too few epochs; "never": it did not fall at all.
        fall: first value − least value.
        late: by what the line through the last ``span`` epochs falls; negative: it rises.
        best, least: the epoch of the least value, the first of equal ones, and that value.
        level_from: the epoch from which all values are within 5 % of the fall from the least.
    """

    kind: Literal["unknown", "never", "falling", "level", "rising"]
    fall: float
    late: float
    span: int
    best: float
    least: float
    level_from: float


def _epoch_text(curve: Points, epoch: float) -> str:
    """``epoch 6``; of a long log only some epochs are kept: ``about epoch 600``."""
    is_thinned = any(b - a > 1 for (a, _), (b, _) in itertools.pairwise(curve))
    return f"{'about ' if is_thinned else ''}epoch {epoch:,.0f}"


def curve_points(run: ReportedRun, split: str, name: str) -> tuple[tuple[float, float], ...]:
    """(epoch, value) of a figure, where it is a number."""
    found = [(epoch["epoch"], number_at(epoch, split, name)) for epoch in run.epochs]
    return tuple((number, value) for number, value in found if value is not None)


def trend(curve: Points) -> Trend:
    """Of at least one epoch."""
    epochs, values = (np.array(column, np.float64) for column in zip(*curve, strict=True))
    best = int(values.argmin())
    fall = float(values[0] - values[best])
    fitted = max(_MIN_FITTED, math.ceil(len(values) / _LAST_FIFTH))
    is_off = np.flatnonzero(values > values[best] + _TELLING * fall)
    level_from = epochs[min(int(is_off[-1]) + 1, len(values) - 1) if len(is_off) else 0]
    late, span = 0.0, int(epochs[-1] - epochs[-min(fitted, len(epochs))]) + 1
    if len(values) >= _MIN_EPOCHS:
        line = np.polyfit(epochs[-fitted:] - epochs[-1], values[-fitted:], 1)
        late = float(line[0] * (epochs[-fitted] - epochs[-1]))
    kind: Literal["unknown", "never", "falling", "level", "rising"] = "level"
    if len(values) < _MIN_EPOCHS:
        kind = "unknown"
    elif fall <= 0:
        kind = "never"
    elif abs(late) >= _TELLING * fall:
        kind = "falling" if late > 0 else "rising"
    return Trend(
        kind, fall, late, span, float(epochs[best]), float(values[best]), float(level_from)
    )


def read_curves(train: Points, validation: Points) -> tuple[str, ...]:
    """Sentences about the loss; none where there are no epochs."""
    return tuple(_train_words(train)) + tuple(_validation_words(train, validation))


def _train_words(train: Points) -> Iterator[str]:
    if not train:
        return
    found = trend(train)
    share = f"{100 * abs(found.late) / found.fall:.0f}\u00a0%" if found.fall > 0 else ""
    over = f"over the last {found.span} epochs"
    match found.kind:
        case "unknown":
            yield f"{count(len(train), 'epoch')}: too few to say whether the loss has settled."
        case "never":
            yield (
                f"The train loss did not fall: {figure(train[0][1])} in epoch {train[0][0]:.0f}, "
                f"{figure(train[-1][1])} in epoch {train[-1][0]:.0f}."
            )
        case "falling":
            yield (
                f"The train loss was still falling when the training ended: {over} by {share} of "
                "its whole fall. More epochs may lower it further."
            )
        case "rising":
            yield (
                f"The train loss was rising when the training ended: {over} by {share} of its "
                f"whole fall. It was least in {_epoch_text(train, found.best)}."
            )
        case "level":
            yield (
                f"The train loss had levelled off: {over} it changed by less than 5\u00a0% of its "
                "whole fall (a logarithmic scale makes that look larger)."
            )


def _validation_words(train: Points, validation: Points) -> Iterator[str]:
    if not validation:
        if train:
            yield "There is no validation split: the curves cannot show whether it overfits."
        return
    found, last = trend(validation), validation[-1][1]
    if found.kind == "unknown":
        return
    has_risen = found.kind != "never" and last - found.least >= _TELLING * found.fall
    if found.kind == "never":
        yield "The validation loss never fell below that of the first epoch."
    elif has_risen:
        yield (
            f"The validation loss was least in {_epoch_text(validation, found.best)} ({figure(found.least)}) and "
            f"had risen to {figure(last)} at the end."
        )
    elif found.kind == "falling":
        yield "The validation loss was still falling when the training ended."
    else:
        yield (
            f"The validation loss hardly changed from {_epoch_text(validation, found.level_from)} on; it was "
            f"least in {_epoch_text(validation, found.best)} ({figure(found.least)})."
        )
    if train and _is_far_below(train, last):
        yield (
            f"At the end the train loss is {figure(train[-1][1])} and the validation loss "
            f"{figure(last)}: the model fits its training examples much better than others. It "
            "overfits."
        )


def _is_far_below(train: Points, validation: float) -> bool:
    """Whether the gap is half of the validation loss and not small against the train loss's fall."""
    gap = validation - train[-1][1]
    return gap > 0 and gap >= _FAR_BELOW * validation and gap >= _TELLING * trend(train).fall


def only_in_training(run: ReportedRun) -> tuple[str, ...]:
    """``dropout``, ``noise``, ``augmentation``: what makes training harder than evaluation."""
    layers = [] if run.restored is None else run.restored.architecture.layers
    configs = [layer.config for layer in layers]
    found = {
        "dropout": any("dropout" in c.type or c.model_dump().get("dropout") for c in configs),
        "noise": any("noise" in config.type for config in configs),
        "augmentation": bool(run.run.experiment.training.augmentation),
    }
    return tuple(name for name, is_there in found.items() if is_there)


def early_stopping_words(run: ReportedRun) -> str:
    """Whether and why the training ended before its last epoch; else empty."""
    training = run.run.experiment.training
    stopping, epochs = training.early_stopping, run.run.overview.epochs
    if stopping is None or run.run.overview.status != "completed" or epochs >= training.epochs:
        return ""
    monitor = (run.run.overview.monitor or "").replace(".", " ").replace("_", " ")
    return (
        f"Early stopping ended it after epoch {epochs:,} of at most {training.epochs:,}: the "
        f"{monitor or 'monitored figure'} had not improved for "
        f"{count(stopping.patience, 'epoch')}."
    )


def run_words(run: ReportedRun) -> tuple[str, ...]:
    """What the curves of a run say, and how its training ended."""
    sentences = read_curves(
        curve_points(run, "train", "loss"), curve_points(run, "validation", "loss")
    )
    ended = early_stopping_words(run)
    return (*sentences, ended) if ended else sentences


def is_unfinished(run: ReportedRun) -> bool:
    """Whether the loss that is to generalize, or else the train loss, still fell at the end."""
    curve = curve_points(run, "validation", "loss") or curve_points(run, "train", "loss")
    return bool(curve) and trend(curve).kind == "falling"
