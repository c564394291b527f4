"""The lines of a training in the room there is: the live one, and the one that stays."""

from __future__ import annotations

from collections.abc import Mapping

from bmtrain.cli.figures import clock, duration, figure, telling_figures
from bmtrain.cli.stream import Symbols
from bmtrain.events import EpochDone, StepsDone

_NARROWEST_BAR, _WIDEST_BAR = 8, 40


def progress_line(event: StepsDone, width: int, symbols: Symbols) -> str:
    """At most ``width`` columns; what says least is left out first.

    ``epoch 2/5 ━━━━━━━━━━━━──────── 99,000 examples/s  loss 0.2610  accuracy 0.9250  0:12 left``
    """
    parts = {"epoch": f"epoch {event.epoch}/{event.num_epochs}"}
    shown = [name for name in telling_figures([event.figures]) if name in event.figures]
    figures = {name: f"{name} {figure(event.figures[name])}" for name in shown}
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
    digits = len(str(event.num_epochs))
    start = f"epoch {event.epoch:>{digits}}/{event.num_epochs}"
    train = _listed(event.train, "")
    validation = _listed(event.validation or {}, "validation.")
    short = _listed(event.validation or {}, "val ")
    took = duration(event.epoch_s)
    forms = [
        [start, *train, *validation, took, f"{event.examples_per_s:,.0f} examples/s"],
        [start, *train, *validation, took],
        [start, *train, *short, took],
        [start, *train, *short],
        [start, *train[:1], *short],
        [start, *train[:1], *short[:1]],
        [start, *train[:1]],
    ]
    lines = ["  ".join(form) for form in forms]
    if width is None:
        return lines[0]
    return next((line for line in lines if len(line) <= width), lines[-1])


def _listed(figures: Mapping[str, float], prefix: str) -> list[str]:
    return [f"{prefix}{name} {figure(figures[name])}" for name in telling_figures([figures])]


def _bar(event: StepsDone, columns: int, symbols: Symbols) -> str:
    filled = columns * min(event.step, event.steps_per_epoch) // max(event.steps_per_epoch, 1)
    return symbols.filled * filled + symbols.empty * (columns - filled)
