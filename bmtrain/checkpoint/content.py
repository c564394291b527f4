"""What a checkpoint holds, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from bmtrain.config.plugin_records import PluginRecord
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.training_state import TrainingState

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """All that evaluating, predicting and going on need.

    Attributes:
        log_bytes: length of the run's metrics.jsonl at this state.
        engine: how the run computes (engine, threads, device, versions): plain JSON.
        model: every variable by its position, ``layers.1.kernel``.
        optimizer: its variables by theirs; empty where they were not asked for.
        plugins: that the training had, as it recorded them.
    """

    experiment: ExperimentConfig
    preprocessing: Preprocessing
    engine: Mapping[str, Any]
    state: TrainingState
    log_bytes: int
    model: Mapping[str, Array]
    optimizer: Mapping[str, Array]
    plugins: tuple[PluginRecord, ...] = ()
