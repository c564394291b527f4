"""Writing checkpoints of a training, and holding the best weights until one is written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.plugin_records import plugin_records
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.events import CheckpointSaved, Event, SaveBegun
from bmtrain.runs.metrics_log import MetricsLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.session import HeldValues, Session, native_faults
from bmtrain.workflows.training.save_schedule import SaveSchedule

if TYPE_CHECKING:
    from bmtrain.engine.loop import TrainingLoop


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
    the last one's state refers to them. Tiny models improve so often that holding them
    each time would cost a tenth of the training: then some are passed over, and trained
    again, from those last held on, in the rare case that they are needed.
    """

    store: CheckpointStore
    schedule: SaveSchedule
    experiment: ExperimentConfig
    preprocessing: Preprocessing
    session: Session
    log: MetricsLog
    loop: TrainingLoop
    written: TrainingState | None = None  # of the newest checkpoint on disk
    _unsaved_best: _Held | None = None
    _passed_over: tuple[TrainingState, int] | None = None  # better than it; the log's bytes then

    def after_epoch(
        self, state: TrainingState, *, improved: bool, train_s: float
    ) -> Iterator[Event]:
        """Save if it is time, else hold what is best. The epoch's line is in the log already."""
        if improved:
            self._hold_best(state, train_s)
        if self.schedule.after_epoch(state, train_s=train_s, now_s=time.monotonic()):
            yield from self.save(state)

    def _hold_best(self, state: TrainingState, train_s: float) -> None:
        # A rate that follows a figure was another in each of the epochs.
        repeatable = self.session.problem.plateau is None
        if self._unsaved_best and repeatable and not self.schedule.may_hold(train_s=train_s):
            self._passed_over = state, self.log.num_bytes
            return
        began = time.perf_counter()
        self._unsaved_best, self._passed_over = self._held(state), None
        self.schedule.held(time.perf_counter() - began)

    def after_steps(self, state: TrainingState) -> Iterator[Event]:
        """Save in the middle of an epoch if it is time."""
        if self.schedule.after_steps(state, now_s=time.monotonic()):
            yield from self.save(state)

    def save(self, state: TrainingState) -> Iterator[Event]:
        """Save this state now, unless it is on the disk already."""
        if self.written == state:
            return
        began = time.perf_counter()
        best = self._best_state()
        is_best = best is not None and best == state
        held = self._unsaved_best
        last = held if held is not None and held.state == state else self._held(state)
        yield SaveBegun(step=state.step)
        if not is_best:
            yield from self.keep_best()
        yield self._write(last, is_best=is_best)
        self._unsaved_best = self._passed_over = None
        self.schedule.saved(time.perf_counter() - began, time.monotonic())

    def keep_best(self) -> Iterator[Event]:
        """Write the best weights if they are held in memory alone."""
        best = self._unsaved_best
        if best is not None:
            if self._passed_over is not None:
                best = self._trained_again(best, *self._passed_over)
            yield self._write(best, is_best=True)
            self._unsaved_best = self._passed_over = None

    def _best_state(self) -> TrainingState | None:
        """Where the training stood when it was best, unless that is on the disk."""
        if self._passed_over is not None:
            return self._passed_over[0]
        return None if self._unsaved_best is None else self._unsaved_best.state

    def _trained_again(self, held: _Held, best: TrainingState, log_bytes: int) -> _Held:
        """``best`` from what was held before it: the same steps end in the same bits."""
        present = self.session.held()
        try:
            with native_faults(self.session.engine.device):
                self.session.put_back(held.values)
                self.loop.train_again(held.state, best.epoch)
                return _Held(best, log_bytes, self.session.held())
        finally:
            self.session.put_back(present)

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
            plugins=plugin_records(self.experiment),
        )
        path = self.store.save(checkpoint, best=is_best)
        self.written = held.state
        return CheckpointSaved(path=path, step=held.state.step, best=is_best)

    def _held(self, state: TrainingState) -> _Held:
        return _Held(state, self.log.num_bytes, self.session.held())
