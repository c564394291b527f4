"""What a run is judged by: its stored predictions, of classes or of numbers."""

from __future__ import annotations

from bmtrain.workflows.reporting.classes import JudgedClasses, judged_classes
from bmtrain.workflows.reporting.numbers import JudgedNumbers, judged_numbers
from bmtrain.workflows.reporting.reading import ReportedRun

Judged = JudgedClasses | JudgedNumbers | None


def judged(run: ReportedRun) -> Judged:
    """Its stored predictions against the labels; None: there are none to be judged."""
    return judged_classes(run) or judged_numbers(run)
