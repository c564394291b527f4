"""``bmtrain train``: one config in, one run directory out; or an interrupted run, gone on with."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bmtrain.config.fold_argument import FoldArgument
from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.missing_runs import require_there
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.errors import UsageError
from bmtrain.events import Event, RunPlanned
from bmtrain.runs.directory import RunDirectory, planned_run_dir
from bmtrain.runs.recorded_plugins import require_recorded
from bmtrain.workflows.comparable_keys import require_comparable
from bmtrain.workflows.endings import interrupted_early

Start = Literal["new", "resume", "if_possible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """What to train: a config file, and what is laid over it.

    Attributes:
        start: new: in an absent or empty run directory. resume: ``config`` is a run
            directory, whose own config is trained on from its last checkpoint.
            if_possible: on from the last checkpoint in ``run_dir`` if a run began there,
            else new: for schedulers that start the same command again.
        allow_changed: keys that may differ from the interrupted run, ``engine.threads``
            say; one that has others below it stands for all of them.
        fold: ``2/5``: what is validated on.
        plugins: that the user named.
        told: of a fold of several, the config that all are of: its places and warnings are told.
    """

    config: Path
    overrides: tuple[str, ...] = ()
    run_dir: Path | None = None
    expectations: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "gpu"] | None = None
    start: Start = "new"
    allow_changed: tuple[str, ...] = ()
    fold: str | None = None
    told: LoadedConfig | None = None
    plugins: Plugins = NO_PLUGINS


def train(request: TrainRequest) -> Generator[Event]:
    """Train, evaluate and save; yields what happens, ``RunFinished`` last.

    Raises:
        BmtrainError: with ``.summary`` once the run directory exists.
    """
    began = time.perf_counter()
    loaded, run_dir = _load(request)
    yield _planned(loaded, run_dir, request.overrides)
    # What is planned is on the screen before NumPy and all that needs it is imported.
    with interrupted_early(run_dir):
        from bmtrain.workflows.training.conducting import conduct

    yield from conduct(loaded, run_dir, request.start, request.allow_changed, began=began)


def _load(request: TrainRequest) -> tuple[LoadedConfig, Path]:
    overrides = request.overrides
    if request.device is not None:
        overrides = (*overrides, f"training.device={request.device}")
    if request.start == "resume" and request.run_dir is not None:
        raise UsageError("--resume goes on in the run's own directory: leave --run-dir out")
    if request.start == "if_possible" and request.run_dir is None:
        raise UsageError("--resume-if-possible needs --run-dir: where a run may have begun")
    if request.start == "new" and request.allow_changed:
        raise UsageError("--allow-changed is about going on: give --resume, too")
    for key in request.allow_changed:
        require_comparable(key)
    resumes = request.start == "resume"
    path = _config_of_run(request.config) if resumes else request.config
    if resumes:
        require_recorded(request.config, request.plugins)
    fold = None if request.fold is None else FoldArgument("--fold", request.fold, request.fold)
    expectations = request.expectations
    loaded = load_config(
        path,
        overrides,
        expectations,
        fold=fold,
        may_extend=not resumes,
        plugins=request.plugins,
    )
    if request.told is not None:
        loaded = replace(loaded, origins=request.told.origins, warnings=request.told.warnings)
    if resumes:
        return loaded, request.config
    return loaded, planned_run_dir(loaded.experiment.name, request.run_dir)


def _config_of_run(run_dir: Path) -> Path:
    require_there(run_dir)
    directory = RunDirectory(run_dir)
    directory.require_plain()
    if not directory.holds_run:
        raise UsageError(
            f"--resume takes a run directory, and '{run_dir}' has no {directory.config.name}",
            hint="nothing was saved in there: train its config anew",
        )
    return directory.config


def _planned(loaded: LoadedConfig, run_dir: Path, overrides: tuple[str, ...]) -> RunPlanned:
    training = loaded.experiment.training
    return RunPlanned(
        config=str(loaded.path),
        name=loaded.experiment.name,
        source=loaded.experiment.data.source,
        run_dir=run_dir,
        epochs=training.epochs,
        batch_size=None if training.batch_size == "full" else training.batch_size,
        overrides=overrides,
    )
