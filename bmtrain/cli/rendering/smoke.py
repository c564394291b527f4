"""What ``train --smoke`` shows: each part of the way, and whether it held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.findings import show_finding
from bmtrain.cli.rendering.proofs import followed
from bmtrain.events import Event, Noted
from bmtrain.figures import duration


def show_smoke(events: Iterable[Event], screen: Screen) -> int:
    """Show the events as they come; the exit code that the summary says."""

    def show(event: Event) -> None:
        if isinstance(event, Noted):
            screen.note(event.message)

    return followed(events, screen, show, _show_end)


def _show_end(summary: Mapping[str, Any], screen: Screen) -> None:
    out = screen.out
    for step in summary["steps"]:
        show_finding("ok" if step["passed"] else "error", step["what"], out)
    out.line(out.paint("took  ", "dim"), duration(summary["total_s"]))
    if summary["run_dir"] is not None:
        out.hanging(out.paint("runs  ", "dim"), 6, summary["run_dir"])
