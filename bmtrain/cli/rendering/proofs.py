"""What verify-resume and reproduce show: each kill and comparison, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing, nullcontext
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.training import TrainingView
from bmtrain.cli.stream import Style
from bmtrain.events import Event, Killed, Noted, RunCompared, RunFinished
from bmtrain.figures import count, duration

_VERDICT_STYLES: Final[dict[str, Style]] = {
    "identical": "green",
    "within_tolerance": "yellow",
    "unproven": "yellow",
    "different": "red",
}
_MAX_SHOWN: Final = 10


def show_verification(events: Iterable[Event], screen: Screen) -> int:
    """Show verify-resume's events as they come; the exit code that its summary says."""

    def show(event: Event) -> None:
        match event:
            case Noted():
                screen.note(event.message)
            case Killed() if screen.tells_progress:
                text = f"kill {event.number:,} of {event.num_kills:,}: in {event.phase}"
                _tell(text, screen)
            case RunCompared() if screen.tells_progress:
                told = event.difference or "every bit is that of the undisturbed one"
                screen.err.line(f"run {event.number:,}: {told}")

    return followed(events, screen, show, _show_verification)


def show_reproduction(events: Iterable[Event], screen: Screen) -> int:
    """Show reproduce's events as they come; the exit code that its summary says."""
    view = TrainingView(screen)

    def show(event: Event) -> None:
        if not isinstance(event, RunCompared):
            view.show(event)

    return followed(events, screen, show, _show_reproduction)


def followed(
    events: Iterable[Event],
    screen: Screen,
    show: Callable[[Event], None],
    show_end: Callable[[Mapping[str, Any], Screen], None],
) -> int:
    """Show a command's events, its summary at last; the exit code that it says."""
    exit_code = None
    # Whatever goes wrong here, what runs must be ended: children, locks, logs.
    with closing(events) if isinstance(events, Generator) else nullcontext():
        for event in events:
            if not isinstance(event, RunFinished):
                show(event)
                continue
            exit_code = int(event.summary["exit_code"])
            screen.err.clear()
            if screen.is_json:
                screen.out.line(json_text(event.summary))
            elif not screen.quiet or exit_code:
                show_end(event.summary, screen)
    assert exit_code is not None, "it ended without a summary"
    return exit_code


def _tell(text: str, screen: Screen) -> None:
    """On a terminal a line that the next one replaces, else one that stays."""
    if screen.err.is_terminal:
        screen.err.show_for_now(text)
    else:
        screen.err.line(text)


def _show_verdict(summary: Mapping[str, Any], text: str, screen: Screen) -> None:
    verdict = summary["verdict"]
    word = verdict.replace("_", " ")
    out = screen.out
    out.hanging(out.paint(f"{word}  ", _VERDICT_STYLES[verdict]), len(word) + 2, text)


def _show_verification(summary: Mapping[str, Any], screen: Screen) -> None:
    kills: Mapping[str, int] = summary["kills"]
    number = sum(kills.values())
    after = f"{count(number, 'kill')}, {count(summary['runs_compared'], 'run')} compared"
    told = {
        "identical": f"after {after}: weights, optimizer, log, best checkpoint, predictions",
        "different": f"{summary['first_difference']} (after {after})",
        "unproven": f"after {after}: too few kills hit training or saves; train longer, or kill "
        "more often",
    }
    _show_verdict(summary, told[summary["verdict"]], screen)
    phases = ", ".join(f"{value:,} in {name}" for name, value in kills.items() if value)
    screen.out.line(screen.out.paint("kills  ", "dim"), phases or "none")
    screen.out.line(screen.out.paint("took   ", "dim"), duration(summary["total_s"]))
    if summary["run_dir"] is not None:
        screen.out.line(screen.out.paint("runs   ", "dim"), summary["run_dir"])


def _show_reproduction(summary: Mapping[str, Any], screen: Screen) -> None:
    since = summary["first_epoch"]
    when = "in the weights, not in the log" if since is None else f"since epoch {since:,}"
    largest = f"{summary['largest']:.2g}"
    told = {
        "identical": "every bit of log, weights, optimizer, best checkpoint and predictions",
        "within_tolerance": f"{when}; by at most {largest} of their size "
        f"(tolerance {summary['tolerance']:g})",
        "different": f"{when}; by up to {largest} of their size "
        f"(tolerance {summary['tolerance']:g})",
    }
    _show_verdict(summary, told[summary["verdict"]], screen)
    _show_some("differs", summary["differences"], screen)
    _show_some("environment", summary["environment"], screen)
    screen.out.line(screen.out.paint("run  ", "dim"), summary["run_dir"])


def _show_some(title: str, lines: list[str], screen: Screen) -> None:
    for line in lines[:_MAX_SHOWN]:
        screen.out.hanging(screen.out.paint(f"{title}  ", "dim"), len(title) + 2, line)
    if len(lines) > _MAX_SHOWN:
        more = f"{len(lines) - _MAX_SHOWN:,} more (--json: all)"
        screen.out.line(screen.out.paint(f"{title}  {more}", "dim"))
