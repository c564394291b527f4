"""``bmtrain train``: one config in, one run directory out; or an interrupted run, gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.errors import UsageError
from bmtrain.events import Event, RunPlanned
from bmtrain.runs.directory import planned_run_dir


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """What to train: a config file, and what is laid over it.

    With ``resume``, ``config`` is a run directory: its own config is trained on
    from its last checkpoint, and ``run_dir`` is not asked for.
    """

    config: Path
    overrides: tuple[str, ...] = ()
    run_dir: Path | None = None
    expectations: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "gpu"] | None = None
    resume: bool = False


def train(request: TrainRequest) -> Iterator[Event]:
    """Train, evaluate and save; yields what happens, ``RunFinished`` last.

    Raises:
        BmtrainError: with ``.summary`` once the run directory exists.
    """
    began = time.perf_counter()
    loaded, run_dir = _load(request)
    yield _planned(loaded, run_dir)
    # What is planned is on the screen before NumPy and all that needs it is imported.
    from bmtrain.workflows.training.conducting import conduct

    yield from conduct(loaded, run_dir, resume=request.resume, began=began)


def _load(request: TrainRequest) -> tuple[LoadedConfig, Path]:
    overrides = request.overrides
    if request.device is not None:
        overrides = (*overrides, f"training.device={request.device}")
    if request.resume and request.run_dir is not None:
        raise UsageError("--resume goes on in the run's own directory: leave --run-dir out")
    path = _config_of_run(request.config) if request.resume else request.config
    loaded = load_config(path, overrides, request.expectations)
    if request.resume:
        return loaded, request.config
    return loaded, planned_run_dir(loaded.experiment.name, request.run_dir)


def _config_of_run(run_dir: Path) -> Path:
    config = run_dir / "config.yaml"
    if not config.is_file():
        raise UsageError(
            f"--resume takes a run directory, and '{run_dir}' has no config.yaml",
            hint="bmtrain train RUN --resume, where RUN is what the training printed",
        )
    return config


def _planned(loaded: LoadedConfig, run_dir: Path) -> RunPlanned:
    training = loaded.experiment.training
    return RunPlanned(
        config=str(loaded.path),
        name=loaded.experiment.name,
        source=loaded.experiment.data.source,
        run_dir=run_dir,
        epochs=training.epochs,
        batch_size=None if training.batch_size == "full" else training.batch_size,
    )
