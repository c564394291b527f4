"""What ``train --find-lr`` shows: the loss over the rate, and the suggestion with its rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.proofs import followed
from bmtrain.events import Event, Noted
from bmtrain.figures import duration, figure
from bmtrain.program import program

_ROWS: Final = 20
_BAR: Final = 40


def show_find_lr(events: Iterable[Event], screen: Screen) -> int:
    """Show the events as they come; the exit code that the summary says."""

    def show(event: Event) -> None:
        if isinstance(event, Noted):
            screen.note(event.message)

    return followed(events, screen, show, _show_end)


def _show_end(summary: Mapping[str, Any], screen: Screen) -> None:
    out, curve = screen.out, summary["curve"]
    out.line(out.paint("rate      loss", "dim"))
    losses = [point["smoothed"] for point in curve]
    for point in _shown(curve):
        bar = out.symbols.rule * _length(point["smoothed"], losses)
        out.line(f"{point['learning_rate']:<8.1e}  {figure(point['smoothed']):<9}  ", bar)
    suggestion = summary["suggestion"]
    if suggestion is None:
        text = "none: the loss was at no rate less than at first"
    else:
        text = f"{suggestion:g}, {summary['rule']}"
    out.hanging(out.paint("suggested  ", "dim"), 11, text)
    if suggestion is not None:
        command = f"{program()} train {summary['config']} {summary['key']}={suggestion:g}"
        out.hanging(out.paint("next       ", "dim"), 11, command)
    out.line(out.paint("took       ", "dim"), duration(summary["total_s"]))


def _shown(curve: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    """At most so many of them, in equal steps, the last among them."""
    every = -(-len(curve) // _ROWS) or 1
    return [curve[index] for index in range((len(curve) - 1) % every, len(curve), every)]


def _length(loss: float, losses: Sequence[float]) -> int:
    """Of a bar: none for the least loss, the longest for what is as large as at first or larger."""
    least, first = min(losses), max(losses[0], min(losses) + 1e-12)
    return min(_BAR, round(_BAR * (loss - least) / (first - least)))
