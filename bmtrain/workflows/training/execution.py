"""A training inside its run directory: TensorFlow started, the loop run, checkpoints saved."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.data.examples.weights import describe_weights
from bmtrain.errors import BmtrainError, CheckpointError, Interrupted
from bmtrain.events import EpochDone, Event, ModelReady, Noted, StepsDone, Warned
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.metrics_log import TIME, MetricsLog, epochs_in
from bmtrain.runs.run_log import RunLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.endings import resume_hint
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.session import Session, build_session, native_faults
from bmtrain.workflows.tracking.tracker import tracked_run
from bmtrain.workflows.tracking.tracking import Tracking
from bmtrain.workflows.training.finishing import finish
from bmtrain.workflows.training.interruption import interruptions_noted
from bmtrain.workflows.training.recording import Record
from bmtrain.workflows.training.resuming import Resumption
from bmtrain.workflows.training.save_schedule import SaveSchedule
from bmtrain.workflows.training.saving import Saver

if TYPE_CHECKING:
    from bmtrain.engine.loop import TrainingLoop
    from bmtrain.engine.runtime import Runtime

# TensorFlow is imported once the config and the data are known to be right.


@dataclass(frozen=True, slots=True)
class Execution:
    """What is executed where; ``resumption`` is where an interrupted run goes on."""

    prepared: Prepared
    directory: RunDirectory
    record: Record
    log: RunLog
    resumption: Resumption | None = None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """Where the training begins, if not at the beginning."""
        return None if self.resumption is None else self.resumption.checkpoint

    def events(self) -> Generator[Event]:
        """Start TensorFlow, train, evaluate; ``RunFinished`` last."""
        from bmtrain.engine.native_output import native_output_to
        from bmtrain.engine.runtime import started_runtime

        training = self.prepared.experiment.training
        mode, threads = training.engine, training.threads
        if self.resumption is not None and self.checkpoint is not None:
            # The record, never the rule again.
            mode, threads = self.resumption.policy.wished_engine(self.checkpoint, training)
        with (
            native_output_to(self.directory.log),
            started_runtime(
                device=training.device, threads=threads, note=self.log.write
            ) as runtime,
            native_faults(runtime.device),
        ):
            session = build_session(
                self.prepared.experiment,
                self.prepared.architecture,
                self.prepared.preprocessing,
                runtime,
                mode,
            )
            if self.resumption is not None and self.checkpoint is not None:
                self.record.changed += self.resumption.policy.accepted_engine(
                    self.checkpoint.engine, session.engine.as_json()
                )
            self.record.begin()
            if runtime.unused_gpu is not None:
                yield Warned(f"the processor is used, not the GPU: {runtime.unused_gpu}")
            yield from self._model_ready(session, runtime)
            yield from self._train_and_finish(session, runtime)

    def _model_ready(self, session: Session, runtime: Runtime) -> Iterator[Event]:
        from bmtrain.models.objective import describe_l2

        record, prepared = self.record, self.prepared
        record.engine = session.engine.as_json()
        record.peak_gpu_memory_bytes = session.placement.peak_memory_bytes
        record.timing.startup_s = time.perf_counter() - record.timing.began
        record.write_run_json()
        yield ModelReady(
            num_parameters=prepared.architecture.num_parameters,
            device=runtime.device_name,
            engine=session.engine.mode,
            threads=runtime.threads,
            startup_s=record.timing.startup_s,
        )
        weighting = describe_weights(prepared.dataset.facts)
        if weighting is not None:
            yield Noted(weighting)
        section = prepared.experiment.regularization
        if section.l2_lambda:
            note, warning = describe_l2(section, prepared.dataset.facts.num_train_examples)
            yield Noted(note)
            if warning is not None:
                yield Warned(warning)

    def _train_and_finish(self, session: Session, runtime: Runtime) -> Iterator[Event]:
        training = self.prepared.experiment.training
        state, log_bytes = TrainingState(), 0
        if self.checkpoint is not None:
            session.restore(self.checkpoint.model, self.checkpoint.optimizer)
            state, log_bytes = self.checkpoint.state, self.checkpoint.log_bytes
        loop = self._compiled_loop(session, runtime, state)
        with MetricsLog(self.directory.metrics) as metrics_log:
            metrics_log.truncate(log_bytes)
            epoch_s = [entry[TIME]["epoch_s"] for entry in epochs_in(metrics_log.path)]
            if len(epoch_s) != state.epoch:
                raise CheckpointError(
                    f"it has {len(epoch_s)} epochs, the checkpoint was made after {state.epoch}",
                    where=str(metrics_log.path),
                    hint="start a new run",
                )
            self.record.timing.epoch_s = epoch_s
            self.record.timing.train_s = sum(epoch_s)
            saver = Saver(
                self._store(),
                SaveSchedule(training.checkpoint, last_save_at_s=time.monotonic()),
                self.prepared.experiment,
                self.prepared.preprocessing,
                session,
                metrics_log,
                loop,
                written=None if self.checkpoint is None else state,
            )
            run = tracked_run(self.prepared, self.directory, state.step, session.engine.as_json())
            with (
                Tracking(run, self.log.write) as tracking,
                closing(loop),
                closing(self._run(loop, saver, session)) as events,
            ):
                for event in events:
                    yield from tracking.told(event)

    def _run(self, loop: TrainingLoop, saver: Saver, session: Session) -> Generator[Event]:
        yield from _train(loop, saver, self.record)
        yield from finish(saver, self.prepared, session, self.record)

    def _store(self) -> CheckpointStore:
        keep = self.prepared.experiment.training.checkpoint.keep
        store = CheckpointStore(self.directory.checkpoints, keep=keep)
        if self.checkpoint is not None:
            store.settle()  # the start before this one may have been killed in a save
        return store

    def _compiled_loop(
        self, session: Session, runtime: Runtime, state: TrainingState
    ) -> TrainingLoop:
        from bmtrain.engine.loop import TrainingLoop
        from bmtrain.engine.steps import CompiledSteps

        began = time.perf_counter()
        splits = self.prepared.dataset.splits
        train = splits["train"]
        steps = CompiledSteps(
            session.problem,
            train,
            session.placement,
            batch_size=self.prepared.batch_size,
            jit_compile=session.engine.mode == "xla",
            lowerings=session.engine.lowerings,
        )
        steps.warm_up(train.num_examples)
        evaluated = splits.get("validation") or splits.get("test")
        if evaluated is not None:
            session.evaluator.warm_up(evaluated)
        if runtime.cache is not None:
            runtime.cache.publish()
        self.record.timing.compile_s = time.perf_counter() - began
        return TrainingLoop(
            session.problem,
            self.prepared.dataset,
            steps,
            session.evaluator,
            self.prepared.experiment.training,
            state,
        )


def _train(loop: TrainingLoop, saver: Saver, record: Record) -> Iterator[Event]:
    """The loop's events, with a log line and perhaps a checkpoint after each epoch."""
    with interruptions_noted() as interruption:
        record.state = loop.state
        earlier_s = record.timing.train_s
        try:
            for event in loop.events():
                record.state = loop.state
                record.timing.train_s = earlier_s + loop.train_s
                record.meter.sample()
                yield event
                if isinstance(event, StepsDone) and event.step == event.steps_per_epoch:
                    continue  # the epoch's figures and its line in the log are still to come
                if isinstance(event, EpochDone):
                    record.timing.epoch_s.append(event.epoch_s)
                    saver.log.append(_log_record(event))
                    yield from saver.after_epoch(
                        loop.state, improved=event.improved, train_s=loop.train_s
                    )
                elif isinstance(event, StepsDone):
                    yield from saver.after_steps(loop.state)
                if interruption.thread_error is not None:
                    raise interruption.thread_error
                if interruption.signal_number is not None:
                    yield from saver.save(loop.state)
                    raise _interrupted(interruption.signal_number, record)
        except BaseException:
            # Whatever ended the loop, the best weights are kept, if they can be: the error
            # that counts is the first.
            with suppress(BmtrainError):
                for _ in saver.keep_best():
                    pass
            raise
        finally:
            with suppress(BmtrainError):
                record.checkpoint = saver.store.last()
                record.best_checkpoint = saver.store.best()
            record.timing.saving_s = saver.schedule.saving_s


def _log_record(event: EpochDone) -> dict[str, Any]:
    """A line of metrics.jsonl; only ``time`` may differ between equal runs."""
    record: dict[str, Any] = {"epoch": event.epoch, "step": event.step, "train": event.train}
    if event.validation is not None:
        record["validation"] = event.validation
    record["learning_rate"] = event.learning_rate
    record[TIME] = {"epoch_s": event.epoch_s, "examples_per_s": event.examples_per_s}
    return record


def _interrupted(signal_number: int, record: Record) -> Interrupted:
    return Interrupted(
        f"interrupted at step {record.state.step:,}; the state is saved",
        signal_number=signal_number,
        hint=resume_hint(record.directory.path),
    )
