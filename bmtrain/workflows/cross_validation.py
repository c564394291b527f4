"""``bmtrain train --folds K``: K trainings, each with another fold held out, and their mean ± s.d.

The folds are trained one after the other in one process, each in a run directory of its own
that is what ``train --fold k/K`` makes, bit for bit. The directory around them is gone on with
as a run is: folds that are complete stay, the one that was interrupted goes on, others follow.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bmtrain.config.expectations import parse_expectation
from bmtrain.config.fold_argument import FoldArgument
from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.resolved import resolved_yaml
from bmtrain.durable import environment_faults, make_directory, write_text
from bmtrain.errors import CheckpointError, EnvironmentFault, Interrupted, UsageError
from bmtrain.events import Event, FoldBegun, FoldDone, RunFinished, RunPlanned
from bmtrain.runs.directory import planned_run_dir
from bmtrain.runs.environment import write_json
from bmtrain.runs.fold_directory import FoldDirectory
from bmtrain.runs.recorded_plugins import require_recorded
from bmtrain.workflows.comparable_keys import require_comparable
from bmtrain.workflows.endings import known_ending, resume_hint
from bmtrain.workflows.train import Start, TrainRequest, train

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldsRequest:
    """What to cross-validate.

    Attributes:
        num_folds: K; None: what is gone on with has its own.
        training: as of one training; with ``start`` "resume" its ``config`` is the
            directory of a cross-validation.
    """

    num_folds: int | None
    training: TrainRequest


def cross_validate(request: FoldsRequest) -> Generator[Event]:
    """``FoldBegun``, a training's events and ``FoldDone`` for each fold; ``RunFinished`` last.

    The summary has ``folds``, each with its ``run_dir`` and ``metrics``; ``metrics`` are the
    means over the folds and ``deviations`` their sample standard deviations (n − 1).
    Expectations are about the means.

    Raises:
        BmtrainError: a fold cannot be trained; those before it stay.
    """
    began = time.perf_counter()
    training = request.training
    loaded, directory = _planned(request)
    count = int(_fold_of(loaded).partition("/")[2])
    yield _told(loaded, directory, training)
    _open(directory, loaded, training.start)
    done: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        run_dir = directory.fold(number)
        if run_dir.is_symlink():
            raise CheckpointError("a link takes the place of a run directory", where=str(run_dir))
        yield FoldBegun(number, count, run_dir)
        summary: Mapping[str, Any] = {}
        with (
            _named(directory, number, count),
            closing(train(_of_fold(training, loaded, directory, number, count))) as events,
        ):
            for event in events:
                if isinstance(event, RunFinished):
                    summary = event.summary
                elif not isinstance(event, RunPlanned):
                    yield event
        done.append(
            {
                "fold": number,
                "run_dir": str(run_dir),
                "epochs_completed": summary["epochs_completed"],
                "evaluated": summary["evaluated"],
                "metrics": summary["metrics"],
                "train_s": summary["timing"]["train_s"],
            }
        )
        yield FoldDone(number, count, summary)
    document = _document(loaded, directory, done, time.perf_counter() - began)
    write_json(directory.summary, document)
    yield RunFinished(document)


def _planned(request: FoldsRequest) -> tuple[LoadedConfig, FoldDirectory]:
    training = request.training
    for key in training.allow_changed:
        require_comparable(key)
    overrides = training.overrides
    if training.device is not None:
        overrides = (*overrides, f"training.device={training.device}")
    if training.start == "resume":
        directory = FoldDirectory(training.config)
        if training.run_dir is not None or request.num_folds is not None:
            raise UsageError(
                "--resume goes on with the folds as they are: give the directory alone"
            )
        require_recorded(directory.fold(1), training.plugins)
        loaded = load_config(
            directory.config,
            overrides,
            training.expectations,
            may_extend=False,
            plugins=training.plugins,
        )
        return loaded, directory
    if training.start == "if_possible" and training.run_dir is None:
        raise UsageError("--resume-if-possible needs --run-dir: where a run may have begun")
    fold = FoldArgument("--folds", str(request.num_folds), f"1/{request.num_folds}")
    loaded = load_config(
        training.config, overrides, training.expectations, fold=fold, plugins=training.plugins
    )
    return loaded, FoldDirectory(planned_run_dir(loaded.experiment.name, training.run_dir))


def _fold_of(loaded: LoadedConfig) -> str:
    fold = loaded.experiment.data.splits.fold
    if fold is None:
        raise UsageError("data.splits.fold is no setting to take away from folds")
    return fold


def _open(directory: FoldDirectory, loaded: LoadedConfig, start: Start) -> None:
    """Makes the directory; what the folds have in common is written once."""
    path = directory.path
    with environment_faults(path, "make the directory of the folds"):
        make_directory(path)
        is_empty = not any(path.iterdir())
    if directory.holds_folds and start != "new":
        return
    if not is_empty:
        raise EnvironmentFault(
            "the directory is not empty",
            where=str(path),
            hint="give another --run-dir, or remove it; nothing in it was changed",
        )
    write_text(directory.config, resolved_yaml(loaded.experiment), links=False)


def _of_fold(
    training: TrainRequest,
    loaded: LoadedConfig,
    directory: FoldDirectory,
    number: int,
    count: int,
) -> TrainRequest:
    """The training of one fold; whether it is as expected is asked of the mean alone."""
    overrides = training.overrides
    if training.device is not None:
        overrides = (*overrides, f"training.device={training.device}")
    return TrainRequest(
        config=directory.config,
        overrides=(*overrides, f"data.splits.fold={number}/{count}", "expect=[]"),
        run_dir=directory.fold(number),
        start="if_possible",
        allow_changed=training.allow_changed,
        told=loaded,
        plugins=training.plugins,
    )


@contextmanager
def _named(directory: FoldDirectory, number: int, count: int) -> Iterator[None]:
    """What ends a fold's training says which fold, and how all of them are gone on with."""
    try:
        yield
    except BaseException as error:
        known = known_ending(error)
        if known is None:
            raise
        known.message = f"fold {number}/{count}: {known.message}"
        if isinstance(known, Interrupted):
            known.hint = resume_hint(directory.path)
        known.summary = {"run_dir": str(directory.path)}  # type: ignore[attr-defined]
        raise known from error


def _told(loaded: LoadedConfig, directory: FoldDirectory, request: TrainRequest) -> RunPlanned:
    training = loaded.experiment.training
    return RunPlanned(
        config=str(loaded.path),
        name=loaded.experiment.name,
        source=loaded.experiment.data.source,
        run_dir=directory.path,
        epochs=training.epochs,
        batch_size=None if training.batch_size == "full" else training.batch_size,
        overrides=request.overrides,
    )


def _document(
    loaded: LoadedConfig, directory: FoldDirectory, done: list[dict[str, Any]], total_s: float
) -> dict[str, Any]:
    """The document of ``train --folds K --json``."""
    from bmtrain.workflows.training.recording import judged

    means, deviations = over_folds([entry["metrics"] for entry in done])
    expectations = judged(
        tuple(parse_expectation(text) for text in loaded.experiment.expect), means
    )
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0 if all(entry["met"] for entry in expectations) else 4,
        "error": None,
        "name": loaded.experiment.name,
        "run_dir": str(directory.path),
        "folds": done,
        "metrics": means,
        "deviations": deviations,
        "expectations": expectations,
        "timing": {"train_s": sum(entry["train_s"] for entry in done), "total_s": total_s},
    }


def over_folds(metrics: Sequence[Mapping[str, Mapping[str, float]]]) -> tuple[Figures, Figures]:
    """Of each figure the mean and the sample standard deviation, √(Σ(x − mean)²/(n − 1))."""
    means: Figures = {}
    deviations: Figures = {}
    for split, figures in metrics[0].items():
        values = {name: [entry[split][name] for entry in metrics] for name in figures}
        means[split] = {name: statistics.fmean(of) for name, of in values.items()}
        deviations[split] = {name: statistics.stdev(of) for name, of in values.items()}
    return means, deviations
