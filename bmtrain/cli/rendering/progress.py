"""The lines of a training in the room there is: the live one, and the one that stays."""

from __future__ import annotations

from collections.abc import Mapping

from bmtrain.cli.stream import Symbols
from bmtrain.events import EpochDone, StepsDone
from bmtrain.figures import clock, duration, figure, telling_figures

_NARROWEST_BAR, _WIDEST_BAR = 8, 40


def progress_line(event: StepsDone, width: int, symbols: Symbols) -> str:
    """At most ``width`` columns; what says least is left out first.

    ``epoch 2/5 ━━━━━━━━━━━━──────── 99,000 examples/s  loss 0.2610  accuracy 0.9250  0:12 left``
    """
    parts = {"epoch": f"epoch {event.epoch:,}/{event.num_epochs:,}"}
    figures = {name: f"{name} {figure(value)}" for name, value in _told(event.figures).items()}
    shown = list(figures)
    candidates = {
        **dict(list(figures.items())[:1]),
        "left": f"{clock(event.remaining_s)} left",
        **dict(list(figures.items())[1:2]),
        "speed": f"{event.examples_per_s:,.0f} examples/s",
        **dict(list(figures.items())[2:]),
    }
    used = len(parts["epoch"])
    for name, text in candidates.items():
        bar = _NARROWEST_BAR + 1 if name not in {"left", *shown[:1]} else 0
        if used + 2 + len(text) + bar <= width:
            parts[name] = text
            used += 2 + len(text)
    ordered = [parts[name] for name in ("epoch", "speed", *shown, "left") if name in parts]
    room = width - used - 1
    if room >= _NARROWEST_BAR:
        ordered[0] += " " + _bar(event, min(room, _WIDEST_BAR), symbols)
    return "  ".join(ordered)[:width]


def epoch_line(event: EpochDone, width: int | None) -> str:
    """The line of a finished epoch: whole, or the longest form that ``width`` columns hold."""
    whole = f"{event.num_epochs:,}"
    start = f"epoch {event.epoch:>{len(whole)},}/{whole}"
    train, validation = event.train, event.validation or {}
    took = duration(event.epoch_s)
    everything = [start, *_listed(train), *_listed(validation, "validation."), took]
    told, told_validation = _listed(_told(train)), _listed(_told(validation), "val ")
    forms = [
        [*everything, f"{event.examples_per_s:,.0f} examples/s"],
        everything,
        [start, *told, *told_validation, took],
        [start, *told, *told_validation],
        [start, *told[:1], *told_validation],
        [start, *told[:1], *told_validation[:1]],
        [start, *told[:1]],
        [start.removeprefix("epoch").strip(), *told[:1]],
    ]
    lines = ["  ".join(form) for form in forms]
    if width is None:
        return lines[0]
    return next((line for line in lines if len(line) <= width), lines[-1])


def _listed(figures: Mapping[str, float], prefix: str = "") -> list[str]:
    return [f"{prefix}{name} {figure(figures[name])}" for name in telling_figures([figures])]


def _told(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures to tell where there is little room: how the penalty does is in the log."""
    left_out = {"penalty", "objective"}
    return {name: value for name, value in figures.items() if name not in left_out}


def _bar(event: StepsDone, columns: int, symbols: Symbols) -> str:
    """How much of the epoch is done; of the training, where an epoch is a step or two."""
    done, whole = event.step, event.steps_per_epoch
    if event.steps_per_epoch < _NARROWEST_BAR:
        done += (event.epoch - 1) * event.steps_per_epoch
        whole *= event.num_epochs
    filled = columns * min(done, whole) // max(whole, 1)
    return symbols.filled * filled + symbols.empty * (columns - filled)
