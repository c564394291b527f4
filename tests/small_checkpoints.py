"""Small checkpoints, made of nothing but their step."""

from __future__ import annotations

from typing import Any

import numpy as np

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.training_state import TrainingState


def experiment() -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": "small",
            "seed": 3,
            "data": {"source": "/data/small.csv", "label": "kind"},
            "model": {"type": "mlp", "hidden": (2,)},
            "loss": {"name": "sparse_categorical_crossentropy"},
            "metrics": ("accuracy",),
            "optimizer": {"name": "adam", "learning_rate": 0.1},
            "training": {"epochs": 2, "early_stopping": {}},
        }
    )


def preprocessing() -> Preprocessing:
    facts = DataFacts(
        task="classification",
        input_shape=(3,),
        input_dtype="float32",
        class_names=("grün", "red"),
        num_outputs=2,
        feature_names=("a", "b", "c"),
        label_name="kind",
        num_train_examples=7,
        fingerprint="ab" * 32,
    )
    offset = np.array([1.0, 2.0, 3.0], np.float32)
    scale = np.array([0.1, 0.2, 0.3], np.float32)
    return Preprocessing(facts, "standardize", offset, scale)


def training_state(step: int, best_step: int | None) -> TrainingState:
    return TrainingState(
        epoch=step // 10,
        step_in_epoch=step % 10,
        step=step,
        accumulators={"loss": 0.1 + 0.2, "accuracy": 1 / 3},
        best_value=None if best_step is None else 0.7,
        best_epoch=None if best_step is None else best_step // 10,
        best_step=best_step,
        epochs_without_improvement=1,
        stopped_early=False,
    )


def make_checkpoint(step: int = 10, best_step: int | None = None, **changes: Any) -> Checkpoint:
    """A checkpoint at ``step``; its tensors follow from the step alone."""
    random = np.random.default_rng(step)
    parts: dict[str, Any] = {
        "experiment": experiment(),
        "preprocessing": preprocessing(),
        "engine": {"engine": "xla", "threads": 2, "versions": {"keras": "3"}, "gpu": None},
        "state": training_state(step, best_step),
        "log_bytes": 123,
        "model": {
            "layers.1.kernel": random.normal(size=(3, 2)).astype(np.float32),
            "layers.1.bias": random.normal(size=(2,)).astype(np.float32),
        },
        "optimizer": {
            "0.iterations": np.array(step, np.int64),
            "1.momentum": random.normal(size=(3, 2)).astype(np.float32),
        },
    }
    return Checkpoint(**(parts | changes))
