"""``bmtrain train``: one config in, one run directory out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.config.resolved import resolved_yaml
from bmtrain.durable import write_text
from bmtrain.errors import BmtrainError, Interrupted
from bmtrain.events import (
    DataReady,
    EpochDone,
    Event,
    ModelReady,
    Noted,
    RunPlanned,
    Warned,
)
from bmtrain.runs.directory import RunDirectory, open_run_directory, planned_run_dir
from bmtrain.runs.metrics_log import MetricsLog
from bmtrain.runs.run_log import RunLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.finishing import finish
from bmtrain.workflows.interruption import signals_noted
from bmtrain.workflows.preparation import Prepared, prepare
from bmtrain.workflows.recording import Record, Timing, log_event
from bmtrain.workflows.saving import Saver
from bmtrain.workflows.session import Session, build_session, native_faults

if TYPE_CHECKING:
    from bmtrain.engine.loop import TrainingLoop
    from bmtrain.engine.runtime import Runtime

# TensorFlow is imported once the config and the data are known to be right.


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """What to train: a config file, and what is laid over it."""

    config: Path
    overrides: tuple[str, ...] = ()
    run_dir: Path | None = None
    expectations: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "gpu"] | None = None


def train(request: TrainRequest) -> Iterator[Event]:
    """Train, evaluate and save; yields what happens, ``RunFinished`` last.

    Raises:
        BmtrainError: with ``.summary`` once the run directory exists.
    """
    timing = Timing()
    overrides = request.overrides
    if request.device is not None:
        overrides = (*overrides, f"training.device={request.device}")
    loaded = load_config(request.config, overrides, request.expectations)
    run_dir = planned_run_dir(loaded.experiment.name, request.run_dir)
    yield _planned(loaded, run_dir)
    prepared = prepare(loaded)
    with open_run_directory(run_dir) as directory, RunLog(directory.log) as log:
        write_text(directory.config, resolved_yaml(prepared.experiment))
        record = Record(directory, prepared, timing)
        try:
            with closing(_run(prepared, directory, record, log)) as events:
                for event in events:
                    log_event(log, event)
                    yield event
        except BaseException as error:
            _record_failure(record, log, error)
            raise


def _run(
    prepared: Prepared, directory: RunDirectory, record: Record, log: RunLog
) -> Generator[Event]:
    """Everything inside the run directory."""
    from bmtrain.engine.native_output import native_output_to
    from bmtrain.engine.runtime import started_runtime

    yield _data_ready(prepared)
    yield from (Warned(str(found)) for found in prepared.warnings)
    training = prepared.experiment.training
    with (
        native_output_to(directory.log),
        started_runtime(
            device=training.device, threads=training.threads, note=log.write
        ) as runtime,
        native_faults(),
    ):
        session = build_session(
            prepared.experiment,
            prepared.architecture,
            prepared.preprocessing,
            runtime,
            training.engine,
        )
        yield from _model_ready(prepared, session, runtime, record)
        loop = _compiled_loop(prepared, session, runtime, record)
        with MetricsLog(directory.metrics) as metrics_log:
            saver = Saver(
                CheckpointStore(directory.checkpoints),
                prepared.experiment,
                prepared.preprocessing,
                session,
                metrics_log,
            )
            yield from _train(loop, saver, record)
            yield from finish(saver, prepared, session, record)


def _model_ready(
    prepared: Prepared, session: Session, runtime: Runtime, record: Record
) -> Iterator[Event]:
    from bmtrain.models.objective import describe_l2

    record.engine = session.engine.as_json()
    record.timing.startup_s = time.perf_counter() - record.timing.began
    record.write_run_json()
    yield ModelReady(
        num_parameters=prepared.architecture.num_parameters,
        device=runtime.device_name,
        engine=session.engine.mode,
        threads=runtime.threads,
        startup_s=record.timing.startup_s,
    )
    if prepared.experiment.regularization.l2_lambda:
        note, warning = describe_l2(
            prepared.experiment.regularization, prepared.dataset.facts.num_train_examples
        )
        yield Noted(note)
        if warning is not None:
            yield Warned(warning)


def _compiled_loop(
    prepared: Prepared, session: Session, runtime: Runtime, record: Record
) -> TrainingLoop:
    from bmtrain.engine.loop import TrainingLoop
    from bmtrain.engine.steps import CompiledSteps

    began = time.perf_counter()
    train = prepared.dataset.splits["train"]
    steps = CompiledSteps(
        session.problem,
        train,
        session.placement,
        batch_size=prepared.batch_size,
        jit_compile=session.engine.mode == "xla",
    )
    steps.warm_up(train.num_examples)
    if runtime.cache is not None:
        runtime.cache.publish()
    record.timing.compile_s = time.perf_counter() - began
    return TrainingLoop(
        session.problem,
        prepared.dataset,
        steps,
        session.evaluator,
        prepared.experiment.training,
        TrainingState(),
    )


def _train(loop: TrainingLoop, saver: Saver, record: Record) -> Iterator[Event]:
    """The loop's events, with a log line and perhaps a checkpoint after each epoch."""
    with signals_noted() as interruption:
        try:
            for event in loop.events():
                record.state = loop.state
                record.timing.train_s = loop.train_s
                yield event
                if isinstance(event, EpochDone):
                    record.timing.epoch_s.append(event.epoch_s)
                    saver.log.append(_log_record(event))
                    yield from saver.after_epoch(
                        loop.state, improved=event.improved, train_s=loop.train_s
                    )
                if interruption.signal_number is not None:
                    yield from saver.save(loop.state)
                    raise _interrupted(interruption.signal_number, record)
        finally:
            # Whatever ended the loop, the best and the last good weights are kept.
            saver.flush()
            record.checkpoint = saver.store.last()
            record.best_checkpoint = saver.store.best()


def _log_record(event: EpochDone) -> dict[str, Any]:
    """A line of metrics.jsonl; only ``time`` may differ between equal runs."""
    record: dict[str, Any] = {"epoch": event.epoch, "step": event.step, "train": event.train}
    if event.validation is not None:
        record["validation"] = event.validation
    record["learning_rate"] = event.learning_rate
    record["time"] = {"epoch_s": event.epoch_s, "examples_per_s": event.examples_per_s}
    return record


def _interrupted(signal_number: int, record: Record) -> Interrupted:
    return Interrupted(
        f"interrupted at step {record.state.step:,}; the state is saved",
        signal_number=signal_number,
        hint=f"bmtrain eval {record.directory.path}",
    )


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
