"""What ``check`` shows: ruled sections, ✔ ⚠ ✘, tables, and a count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.diagnostics import github_command, github_line
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.findings import (
    Finding,
    Level,
    counted,
    show_count,
    show_finding,
    show_title,
)
from bmtrain.cli.rendering.settings import Setting, settings_document, show_settings
from bmtrain.cli.rendering.tables import show_table
from bmtrain.errors import BmtrainError, Diagnostic

_LEVELS: Final[tuple[Level, ...]] = ("ok", "warning", "error")


class Placed(Finding, Protocol):
    """One thing that was checked, and where the config has it."""

    @property
    def place(self) -> Diagnostic | None:
        """Where the config has what it is about."""
        ...


class Table(Protocol):
    """Figures of a section."""

    @property
    def header(self) -> Sequence[str]:
        """The columns' names."""
        ...

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """As many cells each."""
        ...


class Section(Protocol):
    """Findings that belong together; see ``bmtrain.workflows.checking.section``."""

    @property
    def title(self) -> str:
        """What they are about."""
        ...

    @property
    def findings(self) -> Sequence[Placed]:
        """In the order in which they were found."""
        ...

    @property
    def tables(self) -> Sequence[Table]:
        """Shown behind the findings."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """The same for machines."""
        ...

    @property
    def settings(self) -> Sequence[Setting]:
        """The resolved config, where that was asked for."""
        ...

    @property
    def exit_code(self) -> int:
        """Where a finding is an error."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether its error is raised at the end, and told there."""
        ...


def show_check(
    sections: Iterable[Section], screen: Screen, *, waits_after: str | None = None
) -> int:
    """Show each section as it comes; the exit code of the first error, 0 without one.

    Args:
        waits_after: title of the section after which the next one takes seconds.
    """
    seen: list[Section] = []
    try:
        for section in sections:
            seen.append(section)
            screen.err.clear()
            _show_section(section, screen)
            if section.title == waits_after and screen.tells_progress:
                screen.err.show_for_now(f"measuring{screen.err.symbols.dots}")
    except BmtrainError as error:
        screen.err.clear()
        # With --json the failure's document tells what was found before it, too.
        error.summary = _findings_document(seen)  # type: ignore[attr-defined]
        if any(section.stopped for section in seen):
            _show_count(counted(seen, _LEVELS), screen)
        raise
    counts = counted(seen, _LEVELS)
    wrong = (s for s in seen if any(finding.level == "error" for finding in s.findings))
    exit_code = next((section.exit_code for section in wrong), 0)
    if screen.is_json:
        screen.out.line(json_text(_document(seen, exit_code)))
    _show_count(counts, screen)
    return exit_code


def _show_section(section: Section, screen: Screen) -> None:
    findings = [
        finding for finding in section.findings if finding.level != "ok" or not screen.quiet
    ]
    if screen.format == "github":
        for finding in findings:
            if finding.level == "warning" or (finding.level == "error" and not section.stopped):
                screen.out.line(_annotation(section, finding))
    elif screen.format == "text" and (findings or section.settings):
        out = screen.out
        show_title(section.title, out)
        for finding in findings:
            show_finding(finding.level, finding.message, out)
        if not screen.quiet:
            for table in section.tables:
                out.line()
                show_table(table.header, table.rows, out)
        if section.settings:
            out.line()
            show_settings(section.settings, out)
        out.line()


def _annotation(section: Section, finding: Placed) -> str:
    if finding.place is not None and finding.place.line:
        return github_line(finding.place)
    message = f"{section.title}: {finding.message}"
    return github_command(finding.level, message, title="bmtrain check")


def _show_count(counts: Mapping[Level, int], screen: Screen) -> None:
    if not screen.is_json and not screen.quiet:
        show_count(counts, screen.out, fine="passed")


def _document(sections: Sequence[Section], exit_code: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "status": "failed" if exit_code else "passed",
        "exit_code": exit_code,
        "error": None,
        **_findings_document(sections),
    }


def _findings_document(sections: Sequence[Section]) -> dict[str, Any]:
    """What was found; ``origins`` where they were asked for."""
    settings = [setting for section in sections for setting in section.settings]
    origins = {"origins": settings_document(settings)} if settings else {}
    listed = [_section_document(section) for section in sections]
    return {"counts": counted(sections, _LEVELS), "sections": listed, **origins}


def _section_document(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "findings": [_finding_document(finding) for finding in section.findings],
        **({"facts": section.facts} if section.facts else {}),
    }


def _finding_document(finding: Placed) -> dict[str, Any]:
    document: dict[str, Any] = {"level": finding.level, "message": finding.message}
    if (place := finding.place) is not None:
        document |= {"key": place.key, "source": place.source, "line": place.line}
    return document
