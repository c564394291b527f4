"""Findings on a screen: under a ruled title, each behind its symbol, with what to do; then a count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol

from bmtrain.cli.stream import Painted, Stream, Style
from bmtrain.figures import count

Level = Literal["ok", "note", "warning", "error", "problem"]
_STYLES: Final[Mapping[Level, Style]] = {
    "ok": "green",
    "note": "dim",
    "warning": "yellow",
    "error": "red",
    "problem": "red",
}


class Finding(Protocol):
    """One thing found."""

    @property
    def level(self) -> Level:
        """What it means for a training."""
        ...

    @property
    def message(self) -> str:
        """What was found."""
        ...


class Findings(Protocol):
    """Those that belong together."""

    @property
    def findings(self) -> Sequence[Finding]:
        """In order."""
        ...


def counted(groups: Iterable[Findings], levels: Iterable[Level]) -> dict[Level, int]:
    """How many of each level there are, the best level first."""
    counts = dict.fromkeys(levels, 0)
    for group in groups:
        for finding in group.findings:
            counts[finding.level] += 1
    return counts


def show_title(title: str, out: Stream) -> None:
    """A rule with a title in it."""
    start = f"{out.symbols.rule * 2} {title} "
    width = min(out.width, 80) if out.is_terminal else 80  # as texts, which do not wrap on a pipe
    out.line(out.paint(start + out.symbols.rule * (width - len(start)), "bold"))


def show_finding(level: Level, message: str, out: Stream, remedy: str | None = None) -> None:
    """One finding behind its symbol, ``remedy`` below it; long ones hang behind on a terminal."""
    symbol = _symbol(level, out)
    out.hanging(Painted(out.paint(symbol, _STYLES[level]) + " "), len(symbol) + 1, message)
    if remedy is not None:
        start = " " * (len(symbol) + 1) + out.printable("→") + " "
        out.hanging(Painted(start), len(start), remedy)


def show_count(
    counts: Mapping[Level, int], out: Stream, *, fine: str, verdict: str | None = None
) -> None:
    """``⚠ 3 passed, 1 warning, 0 errors``, behind the symbol of the worst.

    Args:
        counts: of ``counted``.
        fine: what becomes of the ok ones: "passed".
        verdict: what all that comes to.
    """
    worst: Level = "ok"
    parts = []
    for level, number in counts.items():
        worst = level if number and level != "note" else worst
        parts.append(f"{number:,} {fine}" if level == "ok" else count(number, level))
    told = ", ".join(parts)
    show_finding(worst, told if verdict is None else f"{verdict}: {told}", out)


def _symbol(level: Level, out: Stream) -> str:
    symbols = out.symbols
    return {
        "ok": symbols.ok,
        "note": symbols.none,
        "warning": symbols.warning,
        "error": symbols.error,
        "problem": symbols.error,
    }[level]
