"""What a cross-validation shows: a line for each fold, then the mean ± s.d. of all figures."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.tables import show_table
from bmtrain.cli.rendering.training import TrainingView
from bmtrain.cli.stream import Painted
from bmtrain.events import (
    DataReady,
    Event,
    FoldBegun,
    FoldDone,
    ModelReady,
    Noted,
    Warned,
)
from bmtrain.figures import duration, figure, telling_figures
from bmtrain.program import program

#: In letters that every terminal has.
_PLUS_MINUS: Final = "+/-"


def show_folds(events: Generator[Event], screen: Screen) -> int:
    """Show the folds as they are trained; the exit code that the summary says."""
    view = FoldsView(screen)
    with closing(events):
        for event in events:
            view.show(event)
    if view.summary is None:
        raise AssertionError("the folds ended without a summary")
    return int(view.summary["exit_code"])


class FoldsView(TrainingView):
    """As of one training; what is the same in all folds is said once, and epochs pass by."""

    _keeps_epochs = False

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._said: set[str] = set()
        self._of_fold = ""

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case FoldBegun():
                self._of_fold = f"fold {event.number}/{event.count}: " if event.number > 1 else ""
                self._wait_for(f"fold {event.number}/{event.count}")
            case FoldDone():
                self._show_fold(event)
            case DataReady() | ModelReady():
                if type(event).__name__ not in self._said:
                    self._said.add(type(event).__name__)
                    super().show(event)
            case Warned() | Noted():
                if event.message not in self._said:
                    self._said.add(event.message)
                    super().show(replace(event, message=self._of_fold + event.message))
            case _:
                super().show(event)

    def _show_fold(self, event: FoldDone) -> None:
        if not self._screen.tells_progress:
            return
        summary = event.summary
        parts = [f"fold {event.number}/{event.count}"]
        for split in ("validation", "test"):
            figures = summary["metrics"].get(split, {})
            names = telling_figures([figures]) if figures else ()
            parts += [f"{split}.{name} {figure(figures[name])}" for name in names]
        parts.append(duration(summary["timing"]["train_s"]))
        start = Painted(f"{parts[0]}  ")
        self._screen.err.hanging(start, len(start), "  ".join(parts[1:]))

    def _show_result(self, summary: Mapping[str, Any]) -> None:
        out = self._screen.out
        if out.is_terminal:
            out.line()
        metrics, deviations = summary["metrics"], summary["deviations"]
        names = telling_figures(metrics.values())
        rows = [
            [
                split,
                *(
                    f"{figure(means[name])} {_PLUS_MINUS} {figure(deviations[split][name])}"
                    for name in names
                    if name in means
                ),
            ]
            for split, means in metrics.items()
        ]
        count = len(summary["folds"])
        self._result("figures  ", f"mean {_PLUS_MINUS} s.d. of {count} folds")
        out.line()
        show_table(["", *names], rows, out)
        out.line()
        self._show_expectations(summary)
        self._result("done  ", f"{count} folds in {duration(summary['timing']['total_s'])}")
        self._result("runs  ", str(summary["run_dir"]))
        self._result("next  ", f"{program()} runs {shlex.quote(summary['run_dir'])}")
