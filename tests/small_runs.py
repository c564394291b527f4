"""Run directories that nothing was trained for: the records that a training leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.config.load import load_config
from bmtrain.config.resolved import resolved_yaml
from bmtrain.runs.environment import write_json
from bmtrain.runs.predictions import StoredPredictions, write_predictions

CONFIG = """\
name: made
data: {source: mnist}
model: {layers: [{type: flatten}, {type: dense, units: 10, activation: softmax}]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: sgd, learning_rate: 0.01}
training: {epochs: 3}
"""


def make_run(
    path: Path,
    *overrides: str,
    config: str = CONFIG,
    metrics: dict[str, Any] | None = None,
    status: str | None = "completed",
    **facts: Any,
) -> Path:
    """A run directory; ``status`` None has no summary: it was killed. ``facts`` go to run.json."""
    path.mkdir(parents=True)
    source = path.parent / f"{path.name}.yaml"
    source.write_text(config)
    experiment = load_config(source, overrides).experiment
    source.unlink()
    (path / "config.yaml").write_text(resolved_yaml(experiment))
    (path / "log.txt").write_text("2026-11-23T10:15:00Z data\nmore\n")
    recorded = {"parameters": 7850, "data": {"source": "mnist", "fingerprint": "ab" * 32}}
    write_json(path / "run.json", {**recorded, **facts})
    if status is not None:
        summary = {
            "status": status,
            "error": None if status == "completed" else {"message": "it broke"},
            "epochs_completed": 3,
            "parameters": 7850,
            "evaluated": {"which": "last", "epoch": 3, "monitor": None},
            "metrics": metrics or {"train": {"loss": 0.5, "accuracy": 0.8}},
            "timing": {"train_s": 1.5},
        }
        write_json(path / "summary.json", summary)
    return path


def log_epochs(path: Path, num_epochs: int) -> None:
    """A log of so many epochs, and half a line of the next."""
    lines = [
        json.dumps(
            {
                "epoch": epoch,
                "train": {"loss": 1 / epoch, "accuracy": 0.5},
                "time": {"epoch_s": 0.1},
            }
        )
        for epoch in range(1, num_epochs + 1)
    ]
    (path / "metrics.jsonl").write_text("\n".join(lines) + '\n{"epoch": 4, "tr')


def give_classes(path: Path, labels: Any, predicted: Any, num_classes: int = 10) -> None:
    """Stored predictions that say ``predicted`` with the probability 0.91, all else alike."""
    labels, predicted = np.asarray(labels, np.int32), np.asarray(predicted, np.int32)
    rest = 0.09 / (num_classes - 1)
    outputs = np.full((len(labels), num_classes), rest, np.float32)
    outputs[np.arange(len(labels)), predicted] = 0.91
    stored = StoredPredictions(outputs, labels, predicted)
    write_predictions(path / "predictions", "test", stored)


def give_numbers(path: Path, targets: Any, outputs: Any) -> None:
    """Stored predictions of a regression with one output."""
    wide = [np.asarray(values, np.float32).reshape(-1, 1) for values in (targets, outputs)]
    write_predictions(path / "predictions", "test", StoredPredictions(wide[1], wide[0], wide[1]))
