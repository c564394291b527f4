"""What a training shows: what will run, how it goes, how it ended and what to type next."""

from __future__ import annotations

import shlex
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, nullcontext
from typing import Any, Final

from bmtrain.cli.ci_reports import write_reports
from bmtrain.cli.console import Screen
from bmtrain.cli.cost_words import cost_in_words
from bmtrain.cli.rendering.diagnostics import github_command
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.findings import show_finding
from bmtrain.cli.rendering.progress import epoch_line, progress_line
from bmtrain.cli.rendering.tables import show_table
from bmtrain.events import (
    DataReady,
    EpochDone,
    Evaluating,
    Event,
    ModelReady,
    Noted,
    RunFinished,
    RunPlanned,
    StepsDone,
    StoppedEarly,
    Warned,
)
from bmtrain.figures import count, duration, figure, shape, telling_figures
from bmtrain.program import program

#: Longer trainings show about this many epochs; metrics.jsonl has them all.
_MAX_EPOCH_LINES: Final = 200
_REFRESH_S: Final = 0.05
#: The splits whose figures are not those of the evaluated weights.
_ROWS: Final = {"train": "train (running mean)"}


def show_training(events: Iterable[Event], screen: Screen) -> int:
    """Show a run's events as they come; the exit code that its summary says."""
    view = TrainingView(screen)
    # Whatever goes wrong here, the run itself must be closed: its lock, its log.
    with closing(events) if isinstance(events, Generator) else nullcontext():
        for event in events:
            view.show(event)
    if view.summary is None:
        raise AssertionError("the run ended without a summary")
    return int(view.summary["exit_code"])


class TrainingView:
    """Shows one run; under ``--json`` stdout takes the summary alone."""

    #: Whether the lines of epochs stay.
    _keeps_epochs = True

    def __init__(self, screen: Screen) -> None:
        self.summary: Mapping[str, Any] | None = None
        self._screen = screen
        self._last_refresh = 0.0

    def show(self, event: Event) -> None:
        """Show one event; kinds of events that are not known here are left out."""
        match event:
            case RunPlanned():
                self._screen.run_dir = event.run_dir
                self._show_plan(event)
            case DataReady():
                self._show_data(event)
            case ModelReady():
                self._show_model(event)
            case StepsDone():
                self._show_steps(event)
            case EpochDone():
                self._show_epoch(event)
            case Evaluating():
                self._wait_for(f"evaluating on {event.split}")
            case RunFinished():
                self._show_end(event.summary)
            case _:
                self._show_remark(event)

    def _show_remark(self, event: Event) -> None:
        match event:
            case StoppedEarly():
                self._screen.note(
                    f"stopped early after epoch {event.epoch:,}: {event.monitor} was best in epoch "
                    f"{event.best_epoch:,}"
                )
            case Warned():
                self._screen.warn(event.message)
            case Noted():
                self._screen.note(event.message)

    def _fact(self, name: str, text: str) -> None:
        if self._screen.tells_progress:
            err = self._screen.err
            err.hanging(err.paint(f"{name:<10}", "dim"), 10, text)

    def _show_plan(self, event: RunPlanned) -> None:
        size = "the full batch" if event.batch_size is None else f"batches of {event.batch_size:,}"
        self._fact("config", event.config)
        if event.overrides:
            self._fact("overrides", shlex.join(event.overrides))
        self._fact("data", event.source)
        self._fact("training", f"{count(event.epochs, 'epoch')}, {size}")
        self._fact("run", str(event.run_dir))
        self._wait_for("reading the data")

    def _show_data(self, event: DataReady) -> None:
        splits = ", ".join(f"{name} {number:,}" for name, number in event.num_examples.items())
        unit = "token" if event.are_tokens else "feature"
        per_example = shape(event.input_shape, self._screen.err.symbols.times, unit)
        target = (
            "regression"
            if event.num_classes is None
            else count(event.num_classes, "class", "classes")
        )
        streamed = "; streamed from their file" if event.is_streamed else ""
        self._fact("examples", f"{splits}; {per_example}, {target}{streamed}")
        self._wait_for("starting TensorFlow")

    def _show_model(self, event: ModelReady) -> None:
        parameters = count(event.num_parameters, "parameter")
        threads = count(event.threads, "thread")
        self._fact("model", f"{parameters}; {event.engine} on {event.device}, {threads}")
        self._wait_for("compiling")

    def _wait_for(self, what: str) -> None:
        if self._screen.tells_progress:
            self._screen.err.show_for_now(what + self._screen.err.symbols.dots)

    def _show_steps(self, event: StepsDone) -> None:
        if self._screen.tells_progress and self._is_due():
            err = self._screen.err
            err.show_for_now(progress_line(event, err.live_width, err.symbols))

    def _show_epoch(self, event: EpochDone) -> None:
        if not self._screen.tells_progress:
            return
        err = self._screen.err
        if self._keeps_epochs and _is_shown(event.epoch, event.num_epochs):
            err.line(epoch_line(event, err.width if err.is_terminal else None))
        elif self._is_due():
            err.show_for_now(epoch_line(event, err.live_width))

    def _is_due(self) -> bool:
        """Whether the live line may change again: under --json there is none."""
        now = time.monotonic()
        if self._screen.is_json or now - self._last_refresh < _REFRESH_S:
            return False
        self._last_refresh = now
        return True

    def _show_end(self, summary: Mapping[str, Any]) -> None:
        self.summary = summary
        screen = self._screen
        screen.err.clear()
        missed = [item for item in summary.get("expectations") or () if not item["met"]]
        if screen.is_json:
            screen.out.line(json_text(summary))
        elif not screen.quiet:
            self._show_result(summary)
        if missed and (screen.quiet or screen.format != "text"):
            for item in missed:
                text = f"{item['text']}, got {figure(item['value'])}"
                screen.err.hanging(screen.err.paint("missed: ", "red"), len("missed: "), text)
                if screen.format == "github":
                    screen.out.line(github_command("error", text, title="bmtrain: missed"))
        write_reports(screen, summary, None)

    def _show_result(self, summary: Mapping[str, Any]) -> None:
        out = self._screen.out
        if out.is_terminal:
            out.line()  # the progress stands above it
        if (evaluated := summary.get("evaluated")) and evaluated["which"] == "best":
            by = f" by {evaluated['monitor']}" if evaluated["monitor"] else ""
            self._result("evaluated  ", f"epoch {evaluated['epoch']:,}, the best{by}")
            out.line()
        self._show_metrics(summary.get("metrics") or {})
        self._show_expectations(summary)
        self._show_next(summary)

    def _show_expectations(self, summary: Mapping[str, Any]) -> None:
        out = self._screen.out
        for item in summary.get("expectations") or ():
            value = f"{'' if item['met'] else 'missed: '}{figure(item['value'])}"
            show_finding("ok" if item["met"] else "error", f"{item['text']} ({value})", out)

    def _show_metrics(self, metrics: Mapping[str, Mapping[str, float]]) -> None:
        names = telling_figures(metrics.values())
        rows = [
            [
                _ROWS.get(split, split),
                *(figure(figures[name]) if name in figures else "" for name in names),
            ]
            for split, figures in metrics.items()
        ]
        if rows:
            show_table(["", *names], rows, self._screen.out)
            self._screen.out.line()

    def _result(self, name: str, text: str) -> None:
        out = self._screen.out
        out.hanging(out.paint(name, "dim"), len(name), text)

    def _show_next(self, summary: Mapping[str, Any]) -> None:
        if (total_s := (summary.get("timing") or {}).get("total_s")) is not None:
            steps = count(summary["steps_completed"], "step")
            epochs = count(summary["epochs_completed"], "epoch")
            self._result("done  ", f"{epochs}, {steps} in {duration(total_s)}")
        if cost := summary.get("cost"):
            self._result("cost  ", cost_in_words(cost))
        run_dir = str(summary["run_dir"])
        self._result("run   ", run_dir)
        self._result("next  ", f"{program()} eval {shlex.quote(run_dir)}")


def _is_shown(epoch: int, num_epochs: int) -> bool:
    """Every epoch of a usual run; of thousands, evenly spread ones, the first and the last."""
    if num_epochs <= _MAX_EPOCH_LINES or epoch in {1, num_epochs}:
        return True
    every = 1
    for factor in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000):
        every = factor
        if num_epochs // factor <= _MAX_EPOCH_LINES // 2:
            break
    return epoch % every == 0
