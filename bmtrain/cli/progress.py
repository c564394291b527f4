"""The live line of a training: epoch, bar, speed, figures, time left, in the room there is."""

from __future__ import annotations

from bmtrain.cli.figures import clock, figure, telling_figures
from bmtrain.cli.stream import Symbols
from bmtrain.events import StepsDone

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


def _bar(event: StepsDone, columns: int, symbols: Symbols) -> str:
    filled = columns * min(event.step, event.steps_per_epoch) // max(event.steps_per_epoch, 1)
    return symbols.filled * filled + symbols.empty * (columns - filled)
