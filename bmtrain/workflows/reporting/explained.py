"""Whether ``explain`` was called on a run, and where what it wrote is."""

from __future__ import annotations

import shlex

from bmtrain.pages.content import Section, Words
from bmtrain.program import program
from bmtrain.workflows.explaining.writing import DIRECTORY, PAGE
from bmtrain.workflows.reporting.reading import ReportedRun


def explained_section(run: ReportedRun) -> Section:
    """A pointer: the report is one file, and explanations may be far larger than it."""
    page = run.path / DIRECTORY / PAGE
    if run.restored is None:
        words = Words(f"There is no model to explain: {run.without_model}.", "missing")
    else:
        command = f"{program()} explain {shlex.quote(str(run.path))}"
        words = Words(f"Nothing was explained yet. The command for it: {command}", "missing")
    if page.is_file():
        words = Words(
            "What it looks at in single examples, and what it needs most, has a page of its own: "
            f"{page}"
        )
    return Section("explained", "What the model looks at", (words,))
