"""What a checkpoint holds, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.preprocessing import Preprocessing

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """The position of a training, exactly; plain numbers, all finite.

    Attributes:
        epoch: epochs completed.
        step_in_epoch: steps done in the epoch in progress.
        step: steps done in the whole training.
        accumulators: running sums of the epoch in progress, by figure.
        best_value: the monitored figure's best, None before the first.
        best_epoch: the epoch, from 1, that reached it.
        best_step: ``step`` at its end; it names the best checkpoint.
        epochs_without_improvement: since then.
        log_bytes: length of metrics.jsonl.
        stopped_early: early stopping has ended the training.
    """

    epoch: int
    step_in_epoch: int
    step: int
    accumulators: Mapping[str, float]
    best_value: float | None
    best_epoch: int | None
    best_step: int | None
    epochs_without_improvement: int
    log_bytes: int
    stopped_early: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """All that evaluating, predicting and going on need.

    Attributes:
        engine: how the run computes (engine, threads, device, versions): plain JSON.
        model: every variable by its position, ``layers.1.kernel``.
        optimizer: its variables by theirs; empty where they were not asked for.
    """

    experiment: ExperimentConfig
    preprocessing: Preprocessing
    engine: Mapping[str, Any]
    state: TrainingState
    model: Mapping[str, Array]
    optimizer: Mapping[str, Array]
