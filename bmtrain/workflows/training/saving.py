"""Writing checkpoints of a training, and holding the best weights until one is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.preprocessing import Preprocessing
from bmtrain.events import CheckpointSaved, Event, SaveBegun
from bmtrain.runs.metrics_log import MetricsLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.session import HeldValues, Session
from bmtrain.workflows.training.save_schedule import SaveSchedule


@dataclass(frozen=True, slots=True)
class _Held:
    """What a checkpoint of a moment needs, while the training goes on."""

    state: TrainingState
    log_bytes: int
    values: HeldValues


@dataclass(slots=True)
class Saver:
    """Saves a run's checkpoints; synchronous, because a save takes milliseconds.

    The best weights are held in memory until a save comes, which writes them first:
    the last one's state refers to them.
    """

    store: CheckpointStore
    schedule: SaveSchedule
    experiment: ExperimentConfig
    preprocessing: Preprocessing
    session: Session
    log: MetricsLog
    written: TrainingState | None = None  # of the newest checkpoint on disk
    _unsaved_best: _Held | None = None

    def after_epoch(
        self, state: TrainingState, *, improved: bool, train_s: float
    ) -> Iterator[Event]:
        """Save if it is time, else hold what is best. The epoch's line is in the log already."""
        if improved:
            began = time.perf_counter()
            self._unsaved_best = self._held(state)
            self.schedule.saving_s += time.perf_counter() - began
        if self.schedule.after_epoch(state, train_s=train_s, now_s=time.monotonic()):
            yield from self.save(state)

    def after_steps(self, state: TrainingState) -> Iterator[Event]:
        """Save in the middle of an epoch if it is time."""
        if self.schedule.after_steps(state, now_s=time.monotonic()):
            yield from self.save(state)

    def save(self, state: TrainingState) -> Iterator[Event]:
        """Save this state now, unless it is on the disk already."""
        if self.written == state:
            return
        began = time.perf_counter()
        best = self._unsaved_best
        is_best = best is not None and best.state == state
        last = best if best is not None and is_best else self._held(state)
        yield SaveBegun(step=state.step)
        if not is_best:
            yield from self.keep_best()
        yield self._write(last, is_best=is_best)
        self._unsaved_best = None
        self.schedule.saved(time.perf_counter() - began, time.monotonic())

    def keep_best(self) -> Iterator[Event]:
        """Write the best weights if they are held in memory alone."""
        if self._unsaved_best is not None:
            yield self._write(self._unsaved_best, is_best=True)
            self._unsaved_best = None

    def _write(self, held: _Held, *, is_best: bool) -> CheckpointSaved:
        self.log.flush()
        checkpoint = Checkpoint(
            experiment=self.experiment,
            preprocessing=self.preprocessing,
            engine=self.session.engine.as_json(),
            state=held.state,
            log_bytes=held.log_bytes,
            model=held.values.model(),
            optimizer=held.values.optimizer(),
        )
        path = self.store.save(checkpoint, best=is_best)
        self.written = held.state
        return CheckpointSaved(path=path, step=held.state.step, best=is_best)

    def _held(self, state: TrainingState) -> _Held:
        return _Held(state, self.log.num_bytes, self.session.held())
