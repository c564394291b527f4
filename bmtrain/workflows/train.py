"""``bmtrain train``: one config in, one run directory out; or an interrupted run, gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.resolved import resolved_yaml
from bmtrain.durable import write_text
from bmtrain.errors import BmtrainError
from bmtrain.events import DataReady, Event, RunPlanned, Warned
from bmtrain.runs.directory import open_run_directory, planned_run_dir
from bmtrain.runs.run_log import RunLog
from bmtrain.workflows.execution import Execution
from bmtrain.workflows.preparation import Prepared, prepare
from bmtrain.workflows.recording import Record, Timing, log_event
from bmtrain.workflows.resuming import config_of_run, last_checkpoint


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
    timing = Timing()
    loaded, run_dir = _load(request)
    yield _planned(loaded, run_dir)
    prepared = prepare(loaded)
    with (
        open_run_directory(run_dir, existing=request.resume) as directory,
        RunLog(directory.log) as log,
    ):
        checkpoint = last_checkpoint(directory, prepared, log.write) if request.resume else None
        write_text(directory.config, resolved_yaml(prepared.experiment))
        record = Record(directory, prepared, timing)
        try:
            yield from _logged(prepared, log)
            execution = Execution(prepared, directory, record, log, checkpoint)
            with closing(execution.events()) as events:
                for event in events:
                    log_event(log, event)
                    yield event
        except BaseException as error:
            _record_failure(record, log, error)
            raise


def _load(request: TrainRequest) -> tuple[LoadedConfig, Path]:
    overrides = request.overrides
    if request.device is not None:
        overrides = (*overrides, f"training.device={request.device}")
    path = config_of_run(request.config) if request.resume else request.config
    loaded = load_config(path, overrides, request.expectations)
    if request.resume:
        return loaded, request.config
    return loaded, planned_run_dir(loaded.experiment.name, request.run_dir)


def _logged(prepared: Prepared, log: RunLog) -> Iterator[Event]:
    """What is known before TensorFlow starts."""
    for event in (_data_ready(prepared), *(Warned(str(w)) for w in prepared.warnings)):
        log_event(log, event)
        yield event


def _record_failure(record: Record, log: RunLog, error: BaseException) -> None:
    """summary.json of a run that did not complete; the error itself goes on."""
    status = {"diverged": "diverged", "interrupted": "interrupted"}
    code = error.code if isinstance(error, BmtrainError) else "internal"
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        code = "interrupted"
    exit_code = error.exit_code if isinstance(error, BmtrainError) else 1
    summary = record.summary(status.get(code, "failed"), exit_code)
    summary["error"] = {"code": code, "message": str(error), "where": None}
    error.summary = summary  # type: ignore[attr-defined]  # the boundary prints it
    try:
        log.write(f"ended: {code}: {error}")
        record.write_summary(summary)
    except BmtrainError:
        return  # the disk that failed the run fails its epitaph too; the first error counts


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


def _data_ready(prepared: Prepared) -> DataReady:
    facts = prepared.dataset.facts
    return DataReady(
        num_examples={name: s.num_examples for name, s in prepared.dataset.splits.items()},
        input_shape=facts.input_shape,
        num_classes=facts.num_outputs if facts.class_names is not None else None,
        fingerprint=facts.fingerprint,
        read_s=prepared.read_s,
    )
