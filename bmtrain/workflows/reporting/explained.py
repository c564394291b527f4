"""Whether ``explain`` was called on a run, and where what it wrote is."""

from __future__ import annotations

from bmtrain.pages.content import Section, Words
from bmtrain.program import program
from bmtrain.workflows.explaining.writing import DIRECTORY, PAGE
from bmtrain.workflows.reporting.reading import ReportedRun


def explained_section(run: ReportedRun) -> Section:
    """A pointer: the report is one file, and explanations may be far larger than it."""
    page = run.path / DIRECTORY / PAGE
    words = Words(f"Nothing was explained yet: {program()} explain {run.path} does.", "missing")
    if page.is_file():
        words = Words(
            "What it looks at in single examples, and what it needs most, is in a page of its "
            f"own: {page}."
        )
    return Section("explained", "What the model looks at", (words,))
