"""``bmtrain reproduce``: train a run directory again, and say whether the same came out."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.config.missing_runs import require_there
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.differences import Difference, plain_differences
from bmtrain.errors import CheckpointError, UsageError
from bmtrain.events import Event, RunCompared, RunFinished, Warned
from bmtrain.program import program
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import read_json
from bmtrain.runs.recorded_plugins import require_recorded
from bmtrain.workflows.restoring import recorded_engine
from bmtrain.workflows.run_comparison import RunComparison, compare_runs
from bmtrain.workflows.train import TrainRequest, train

#: Relative difference of figures and weights that passes for the same by default.
TOLERANCE = 1e-3
#: Parts of run.json that say in what a run was trained.
_ENVIRONMENT = ("environment", "engine", "data", "git", "plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproduceRequest:
    """Which run to train again, where, and what passes for the same.

    Attributes:
        tolerance: largest max |then − now| / max(1, |then|) over the log's figures, the
            weights, the optimizer's variables and the predictions.
    """

    run: Path
    overrides: tuple[str, ...] = ()
    run_dir: Path | None = None
    tolerance: float = TOLERANCE
    plugins: Plugins = NO_PLUGINS


def reproduce(request: ReproduceRequest) -> Iterator[Event]:
    """The events of the training, then ``RunCompared``; ``RunFinished`` last.

    Mode and threads follow the run's record, never the rule. The summary has ``verdict``
    (identical, within_tolerance, different), ``first_epoch`` that differs in the log,
    ``largest`` relative difference and ``environment``, what differs in it; its exit code
    is 4 for different, else 0.

    Raises:
        UsageError: not a run directory.
        CheckpointError: the run did not complete, or cannot be read.
        BmtrainError: the training failed; as ``train`` raises.
    """
    then = _completed_run(request.run)
    require_recorded(request.run, request.plugins)
    if then.get("changed") or any(start.get("changed") for start in then.get("earlier", ())):
        yield Warned("the run was gone on with under changed settings: a mixture, not one config")
    again = yield from _trained_again(request, then)
    comparison = compare_runs(request.run, again, request.plugins)
    first = comparison.differences[0] if comparison.differences else None
    yield RunCompared(1, None if first is None else str(first))
    now = read_json(RunDirectory(again).run_json)
    yield RunFinished(_summary(request, again, comparison, environment_differences(then, now)))


def _completed_run(path: Path) -> dict[str, Any]:
    """Its run.json."""
    require_there(path)
    directory = RunDirectory(path)
    if not directory.holds_run:
        raise UsageError(
            f"'{path}' is not a run directory: it has no {directory.config.name}",
            hint=f"{program()} reproduce RUN, where RUN is what the training printed",
        )
    if read_json(directory.summary).get("status") != "completed":
        raise CheckpointError(
            "the run did not complete",
            where=str(path),
            hint=f"complete it first: {program()} train {shlex.quote(str(path))} --resume",
        )
    find_checkpoint(path, "last")  # a whole one: without it there is nothing to compare with
    document = read_json(directory.run_json)
    if not isinstance(document.get("engine"), dict):
        raise CheckpointError(
            "does not say how the run was computed", where=str(directory.run_json)
        )
    return document


def _trained_again(
    request: ReproduceRequest, then: Mapping[str, Any]
) -> Generator[Event, None, Path]:
    """The training's events, its end apart; returns its directory."""
    mode, threads = recorded_engine(then["engine"])
    device = then["engine"].get("device")
    overrides = [f"training.engine={mode}", f"training.threads={threads}", "track.mlflow=null"]
    if device in {"cpu", "gpu"}:
        overrides.append(f"training.device={device}")
    config = RunDirectory(request.run).config
    training = TrainRequest(
        config=config,
        overrides=(*overrides, *request.overrides),
        run_dir=request.run_dir,
        plugins=request.plugins,
    )
    with closing(train(training)) as events:
        for event in events:
            if isinstance(event, RunFinished):
                return Path(event.summary["run_dir"])
            yield event
    raise AssertionError("a training ends with RunFinished, or raises")


def environment_differences(
    then: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """What two runs were trained in, as their run.json say, where it differs."""
    return tuple(
        entry
        for part in _ENVIRONMENT
        for entry in plain_differences(then.get(part), now.get(part), part)
    )


def _summary(
    request: ReproduceRequest,
    again: Path,
    comparison: RunComparison,
    environment: tuple[Difference, ...],
) -> dict[str, Any]:
    """The document of ``reproduce --json``."""
    verdict = "different"
    if comparison.largest <= request.tolerance:
        verdict = "identical" if comparison.identical else "within_tolerance"
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 4 if verdict == "different" else 0,
        "error": None,
        "verdict": verdict,
        "tolerance": request.tolerance,
        "largest": comparison.largest,
        "first_epoch": comparison.first_epoch,
        "differences": [str(entry) for entry in comparison.differences],
        "environment": [str(entry) for entry in environment],
        "run": str(request.run),
        "run_dir": str(again),
    }
