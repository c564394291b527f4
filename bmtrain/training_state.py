"""Where a training stands: what the loop advances and a checkpoint keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Plateau:
    """Where ``reduce_on_plateau`` stands.

    Attributes:
        best: the monitored figure's best so far, None before the first.
        waited: epochs without an improvement.
        cooldown: epochs that are left in which none is counted.
        reductions: how often the rate was reduced.
    """

    best: float | None = None
    waited: int = 0
    cooldown: int = 0
    reductions: int = 0


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Everything besides weights and optimizer that the rest of a training depends on.

    Attributes:
        epoch: completed epochs.
        step_in_epoch: steps done in the epoch in progress.
        step: steps done in the whole training.
        accumulators: running sums of the epoch in progress, by figure.
        best_value: the monitored figure's best so far, None before the first.
        best_epoch: the epoch (from 1) that reached it.
        best_step: ``step`` at its end.
        epochs_without_improvement: since ``best_epoch``.
        stopped_early: early stopping has ended the training.
        plateau: of the learning rate, where it follows a figure.
    """

    epoch: int = 0
    step_in_epoch: int = 0
    step: int = 0
    accumulators: Mapping[str, float] = field(default_factory=dict)
    best_value: float | None = None
    best_epoch: int | None = None
    best_step: int | None = None
    epochs_without_improvement: int = 0
    stopped_early: bool = False
    plateau: Plateau = Plateau()
