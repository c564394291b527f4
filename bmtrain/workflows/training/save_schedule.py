"""When a training is saved: what the config asks for, and what a save may cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bmtrain.config.sections.training import CheckpointSection
from bmtrain.training_state import TrainingState

#: Share of the training time that saves may take where the config leaves it to us.
SAVING_SHARE = 0.05
#: Share of it that holding the best weights in memory may take.
HOLDING_SHARE = 0.02
#: Seconds that the first save is taken to cost: more than it does on most disks.
FIRST_SAVE_S = 0.02
#: A save may take this much longer than the one before, and still be within the share.
LONGER = 1.5


@dataclass(slots=True)
class SaveSchedule:
    """Decides; told of each save what it took. Clocks are handed in, none is read here."""

    section: CheckpointSection
    last_save_at_s: float
    saving_s: float = 0.0
    _last_took_s: float = FIRST_SAVE_S
    _fastest_hold_s: float = math.inf
    _holding_s: float = 0.0

    def after_epoch(self, state: TrainingState, *, train_s: float, now_s: float) -> bool:
        """Whether to save ``state``, at the end of an epoch.

        Args:
            state: where the training stands.
            train_s: seconds inside compiled calls so far.
            now_s: a clock that never goes back, as ``last_save_at_s``.
        """
        every = self.section.every_epochs
        if every == "auto":
            if self.saving_s + LONGER * self._last_took_s <= SAVING_SHARE * train_s:
                return True
        elif state.epoch % every == 0:
            return True
        return self.after_steps(state, now_s=now_s)

    def after_steps(self, state: TrainingState, *, now_s: float) -> bool:
        """Whether to save ``state``, between two compiled calls."""
        steps, minutes = self.section.every_steps, self.section.every_minutes
        if steps is not None and state.step % steps == 0:
            return True
        return minutes is not None and now_s - self.last_save_at_s >= 60 * minutes

    def saved(self, took_s: float, now_s: float) -> None:
        """A save took ``took_s`` seconds and ended at ``now_s``."""
        self.saving_s += took_s
        self._last_took_s = took_s
        self.last_save_at_s = now_s

    def may_hold(self, *, train_s: float) -> bool:
        """Whether another hold is within its share, ``train_s`` seconds into the training.

        What is not held is trained again when it is needed. That takes no longer than the
        training time since the last hold: fifty holds' time, five hundred's after a slow one.
        """
        return self._holding_s + self._fastest_hold_s <= HOLDING_SHARE * train_s

    def held(self, took_s: float) -> None:
        """The best weights were held, which took ``took_s`` seconds."""
        self.saving_s += took_s
        self._fastest_hold_s = min(self._fastest_hold_s, took_s)
        # One that took seconds says more of the machine than of what the next one takes.
        self._holding_s += min(took_s, 10 * self._fastest_hold_s)
