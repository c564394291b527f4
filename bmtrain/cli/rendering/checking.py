"""What ``check`` shows: ruled sections, ✔ ⚠ ✘ and a count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.diagnostics import github_command
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.stream import Painted, Stream, Style
from bmtrain.errors import BmtrainError
from bmtrain.figures import count

Level = Literal["ok", "warning", "error"]
_STYLES: dict[Level, Style] = {"ok": "green", "warning": "yellow", "error": "red"}


class Finding(Protocol):
    """One thing that was checked."""

    @property
    def level(self) -> Level:
        """What it means for a training."""
        ...

    @property
    def message(self) -> str:
        """What was found."""
        ...


class Section(Protocol):
    """Findings that belong together."""

    @property
    def title(self) -> str:
        """What they are about."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """In the order in which they were found."""
        ...


def show_check(sections: Iterable[Section], screen: Screen) -> int:
    """Show each section as it comes; 0 without errors, else 3 (a wrong config raises)."""
    seen: list[Section] = []
    try:
        for section in sections:
            seen.append(section)
            _show_section(section, screen)
    except BmtrainError as error:
        # With --json the failure's document tells what was found before it, too.
        error.summary = {"sections": _sections_document(seen)}  # type: ignore[attr-defined]
        raise
    counts = _counts(seen)
    exit_code = 3 if counts["error"] else 0
    if screen.is_json:
        screen.out.line(json_text(_document(seen, counts, exit_code)))
    elif not screen.quiet:
        _show_count(counts, screen)
    return exit_code


def _show_section(section: Section, screen: Screen) -> None:
    findings = [
        finding for finding in section.findings if finding.level != "ok" or not screen.quiet
    ]
    if screen.format == "github":
        for finding in findings:
            if finding.level != "ok":
                message = f"{section.title}: {finding.message}"
                screen.out.line(github_command(finding.level, message, title="bmtrain check"))
    elif screen.format == "text" and findings:
        out = screen.out
        title = f"{out.symbols.rule * 2} {section.title} "
        rule = title + out.symbols.rule * (min(out.width, 80) - len(title))
        out.line(out.paint(rule, "bold"))
        for finding in findings:
            show_finding(finding, out)
        out.line()


def show_finding(finding: Finding, out: Stream) -> None:
    """One finding behind its symbol; long ones hang behind it on a terminal."""
    symbol = getattr(out.symbols, finding.level)
    out.hanging(
        Painted(out.paint(symbol, _STYLES[finding.level]) + " "), len(symbol) + 1, finding.message
    )


def _show_count(counts: dict[Level, int], screen: Screen) -> None:
    out = screen.out
    worst: Level = "error" if counts["error"] else "warning" if counts["warning"] else "ok"
    parts = [
        f"{counts['ok']:,} passed",
        count(counts["warning"], "warning"),
        count(counts["error"], "error"),
    ]
    symbol = getattr(out.symbols, worst)
    start = Painted(out.paint(symbol, _STYLES[worst]) + " ")
    out.hanging(start, len(symbol) + 1, ", ".join(parts))


def _counts(sections: Iterable[Section]) -> dict[Level, int]:
    counts: dict[Level, int] = {"ok": 0, "warning": 0, "error": 0}
    for section in sections:
        for finding in section.findings:
            counts[finding.level] += 1
    return counts


def _document(
    sections: Sequence[Section], counts: dict[Level, int], exit_code: int
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "status": "failed" if exit_code else "passed",
        "exit_code": exit_code,
        "error": None,
        "counts": counts,
        "sections": _sections_document(sections),
    }


def _sections_document(sections: Iterable[Section]) -> list[dict[str, Any]]:
    return [
        {
            "title": section.title,
            "findings": [
                {"level": finding.level, "message": finding.message} for finding in section.findings
            ],
        }
        for section in sections
    ]
