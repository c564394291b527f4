"""Small checkpoints to write, damage and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.dataset import DataFacts
from bmtrain.data.preprocessing import Preprocessing
from bmtrain.training_state import TrainingState

MakeCheckpoint = Callable[..., Checkpoint]


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


@pytest.fixture(scope="session")
def make_checkpoint() -> MakeCheckpoint:
    """A checkpoint at ``step``; its tensors follow from the step alone."""

    def make(step: int = 10, best_step: int | None = None, **changes: Any) -> Checkpoint:
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

    return make


@pytest.fixture
def written(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """A checkpoint's directory, the only one in its parent."""
    write_checkpoint(tmp_path / "c", make_checkpoint())
    return tmp_path / "c"


@pytest.fixture(scope="session")
def assert_same() -> Callable[[Checkpoint, Checkpoint], None]:
    """Fails unless two checkpoints hold the same, bit for bit."""

    def check(first: Checkpoint, second: Checkpoint) -> None:
        assert first.experiment == second.experiment
        assert first.preprocessing.facts == second.preprocessing.facts
        assert first.preprocessing.normalize == second.preprocessing.normalize
        assert dict(first.engine) == dict(second.engine)
        assert first.state == second.state
        assert first.log_bytes == second.log_bytes
        for ours, theirs in (
            (first.model, second.model),
            (first.optimizer, second.optimizer),
            (_statistics(first), _statistics(second)),
        ):
            assert list(ours) == list(theirs)
            for name in ours:
                assert ours[name].dtype == theirs[name].dtype
                assert ours[name].shape == theirs[name].shape
                assert ours[name].tobytes() == theirs[name].tobytes()

    return check


def _statistics(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"offset": checkpoint.preprocessing.offset, "scale": checkpoint.preprocessing.scale}
