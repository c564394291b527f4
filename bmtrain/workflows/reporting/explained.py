"""Whether ``explain`` was called on a run, and where what it wrote is."""

from __future__ import annotations

from bmtrain.pages.content import Section, Words
from bmtrain.workflows.explaining.writing import DIRECTORY, PAGE
from bmtrain.workflows.reporting.reading import ReportedRun


def explained_section(run: ReportedRun) -> tuple[Section, ...]:
    """A pointer, where there is something: explanations may be far larger than the report."""
    page = run.path / DIRECTORY / PAGE
    if not page.is_file():
        return ()
    text = (
        "What it looks at in single examples, and what it needs most, has a page of its own: "
        f"{page}"
    )
    return (Section("explained", "What the model looks at", (Words(text),)),)
