"""What ``doctor`` shows: ruled parts, each finding with what to do about it, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.stream import Painted, Stream, Style
from bmtrain.figures import count

Level = Literal["ok", "note", "warning", "problem"]
_STYLES: dict[Level, Style] = {"ok": "green", "note": "dim", "warning": "yellow", "problem": "red"}
#: After these parts the next one takes seconds.
_WAITS: Mapping[str, str] = {
    "surroundings": "starting TensorFlow",
    "tensorflow": "training for two epochs",
}


class Finding(Protocol):
    """One thing found, and what to do about it."""

    @property
    def level(self) -> Level:
        """What it means for a training."""
        ...

    @property
    def message(self) -> str:
        """What was found."""
        ...

    @property
    def remedy(self) -> str | None:
        """What to do."""
        ...


class Examined(Protocol):
    """A part of the machine; see ``bmtrain.workflows.diagnosis.finding``."""

    @property
    def title(self) -> str:
        """Which."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """In order."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same for machines."""
        ...


def show_diagnosis(parts: Iterable[Examined], screen: Screen, *, quick: bool) -> int:
    """Show each part as it comes; 6 if there is a problem, else 0."""
    seen: list[Examined] = []
    for part in parts:
        seen.append(part)
        screen.err.clear()
        _show_part(part, screen)
        waits_for = None if quick and part.title == "tensorflow" else _WAITS.get(part.title)
        if waits_for is not None and screen.tells_progress:
            screen.err.show_for_now(f"{waits_for}{screen.err.symbols.dots}")
    screen.err.clear()
    counts = dict.fromkeys(_STYLES, 0)
    for part in seen:
        for finding in part.findings:
            counts[finding.level] += 1
    exit_code = 6 if counts["problem"] else 0
    if screen.is_json:
        screen.out.line(json_text(_document(seen, counts, exit_code)))
    else:
        _show_verdict(counts, screen)
    return exit_code


def _show_part(part: Examined, screen: Screen) -> None:
    wanted = ("warning", "problem") if screen.quiet else tuple(_STYLES)
    findings = [finding for finding in part.findings if finding.level in wanted]
    if screen.is_json or not findings:
        return
    out = screen.out
    title = f"{out.symbols.rule * 2} {part.title} "
    out.line(out.paint(title + out.symbols.rule * (min(out.width, 80) - len(title)), "bold"))
    for finding in findings:
        symbol = _symbol(finding.level, out)
        start = Painted(out.paint(symbol, _STYLES[finding.level]) + " ")
        out.hanging(start, len(symbol) + 1, finding.message)
        if finding.remedy is not None:
            arrow = out.printable("→") + " "
            blank = " " * (len(symbol) + 1)
            out.hanging(Painted(blank + arrow), len(blank + arrow), finding.remedy)
    out.line()


def _symbol(level: Level, out: Stream) -> str:
    symbols = out.symbols
    return {
        "ok": symbols.ok,
        "note": symbols.none,
        "warning": symbols.warning,
        "problem": symbols.error,
    }[level]


def _show_verdict(counts: Mapping[Level, int], screen: Screen) -> None:
    if screen.quiet and not counts["warning"] and not counts["problem"]:
        return
    worst: Level = "problem" if counts["problem"] else "warning" if counts["warning"] else "ok"
    verdict = "not fit to train" if worst == "problem" else "fit to train"
    parts = [
        f"{counts['ok']:,} fine",
        count(counts["note"], "note"),
        count(counts["warning"], "warning"),
        count(counts["problem"], "problem"),
    ]
    symbol = _symbol(worst, screen.out)
    start = Painted(screen.out.paint(symbol, _STYLES[worst]) + " ")
    screen.out.hanging(start, len(symbol) + 1, f"{verdict}: {', '.join(parts)}")


def _document(
    parts: Sequence[Examined], counts: Mapping[Level, int], exit_code: int
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "status": "failed" if exit_code else "passed",
        "exit_code": exit_code,
        "error": None,
        "counts": counts,
        "sections": [
            {
                "title": part.title,
                "findings": [
                    {
                        "level": finding.level,
                        "message": finding.message,
                        "remedy": finding.remedy,
                    }
                    for finding in part.findings
                ],
                "facts": part.facts,
            }
            for part in parts
        ],
    }
