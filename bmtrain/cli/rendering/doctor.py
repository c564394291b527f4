"""What ``doctor`` shows: ruled parts, each finding with what to do about it, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.findings import (
    Finding,
    Level,
    counted,
    show_count,
    show_finding,
    show_title,
)

_LEVELS: Final[tuple[Level, ...]] = ("ok", "note", "warning", "problem")
#: After these parts the next one takes seconds.
_WAITS: Mapping[str, str] = {
    "surroundings": "starting TensorFlow",
    "tensorflow": "training for two epochs",
}


class Remediable(Finding, Protocol):
    """One thing found, and what to do about it."""

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
    def findings(self) -> Sequence[Remediable]:
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
    counts = counted(seen, _LEVELS)
    exit_code = 6 if counts["problem"] else 0
    if screen.is_json:
        screen.out.line(json_text(_document(seen, counts, exit_code)))
    else:
        _show_verdict(counts, screen)
    return exit_code


def _show_part(part: Examined, screen: Screen) -> None:
    wanted = ("warning", "problem") if screen.quiet else _LEVELS
    findings = [finding for finding in part.findings if finding.level in wanted]
    if screen.is_json or not findings:
        return
    show_title(part.title, screen.out)
    for finding in findings:
        show_finding(finding.level, finding.message, screen.out, finding.remedy)
    screen.out.line()


def _show_verdict(counts: Mapping[Level, int], screen: Screen) -> None:
    if screen.quiet and not counts["warning"] and not counts["problem"]:
        return
    verdict = "not fit to train" if counts["problem"] else "fit to train"
    show_count(counts, screen.out, fine="fine", verdict=verdict)


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
