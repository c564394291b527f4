"""When a checkpoint is written, and what is held back until it is worth its time."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.preprocessing import Preprocessing
from bmtrain.events import CheckpointSaved
from bmtrain.runs.metrics_log import MetricsLog
from bmtrain.training_state import TrainingState
from bmtrain.workflows.session import Session

#: Share of the training time that saves at the end of an epoch may take.
SAVING_SHARE = 0.05


@dataclass(slots=True)
class Saver:
    """Saves a run's checkpoints; synchronous, because a save takes milliseconds.

    End-of-epoch saves are skipped while saving exceeds ``SAVING_SHARE`` of the
    training time. What was skipped is held in memory, so that the best weights
    and the last good ones are never lost to a later failure.
    """

    store: CheckpointStore
    experiment: ExperimentConfig
    preprocessing: Preprocessing
    session: Session
    log: MetricsLog
    written: TrainingState | None = None  # of the newest checkpoint on disk
    _unsaved_best: Checkpoint | None = None
    _unsaved_last: Checkpoint | None = None
    _saving_s: float = 0.0

    def after_epoch(
        self, state: TrainingState, *, improved: bool, train_s: float
    ) -> list[CheckpointSaved]:
        """Save if the time allows, else hold. The epoch's line is in the log already."""
        self._unsaved_last = self._snapshot(self._stamped(state))
        if improved:
            self._unsaved_best = self._unsaved_last
        return self.flush() if self._saving_s <= SAVING_SHARE * train_s else []

    def save(self, state: TrainingState) -> list[CheckpointSaved]:
        """Save this state now: at the end, or because the run was interrupted."""
        state = self._stamped(state)
        if self._unsaved_last is None and self.written == state:
            return []
        if self._unsaved_last is None or self._unsaved_last.state != state:
            self._unsaved_last = self._snapshot(state)
        return self.flush()

    def flush(self) -> list[CheckpointSaved]:
        """Write what is held back; the best first, since the last one's state refers to it."""
        began = time.perf_counter()
        best, last = self._unsaved_best, self._unsaved_last
        if last is None:
            return []
        self.log.flush()
        saved = []
        if best is not None and best is not last:
            saved.append(self._write(best, is_best=True))
        saved.append(self._write(last, is_best=last is best))
        self._unsaved_best = self._unsaved_last = None
        self._saving_s += time.perf_counter() - began
        return saved

    def _write(self, checkpoint: Checkpoint, *, is_best: bool) -> CheckpointSaved:
        path = self.store.save(checkpoint, best=is_best)
        self.written = checkpoint.state
        return CheckpointSaved(path=path, step=checkpoint.state.step, best=is_best)

    def _stamped(self, state: TrainingState) -> TrainingState:
        return replace(state, log_bytes=self.log.num_bytes)

    def _snapshot(self, state: TrainingState) -> Checkpoint:
        return Checkpoint(
            experiment=self.experiment,
            preprocessing=self.preprocessing,
            engine=self.session.engine.as_json(),
            state=state,
            model=self.session.weights(),
            optimizer=self.session.optimizer_state(),
        )
