"""``bmtrain predict``: what a checkpoint says about each example of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.load import load_examples
from bmtrain.figures import class_name
from bmtrain.models.decision import class_probabilities, predicted_classes
from bmtrain.workflows.restoring import Restored, read_restored, restored_session


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """Which checkpoint, on which examples; labels are not needed."""

    checkpoint: Path
    input: Path
    format: str = "auto"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per example, in the input's order.

    Attributes:
        outputs: float32 (examples, classes) probabilities, or (examples, targets).
        predicted: int32 (examples,) classes; the outputs themselves for regression.
        class_names: one per class; None for regression.
        label_name: the column that a table's model predicts; None for arrays.
        skipped: what to say of the checkpoints that were passed over, a line each.
    """

    outputs: NDArray[np.float32]
    predicted: NDArray[Any]
    class_names: tuple[str, ...] | None
    label_name: str | None
    skipped: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """The name of each example's predicted class; for regression there is none."""
        if self.class_names is None:
            raise AttributeError("a regression predicts numbers, not classes: see .outputs")
        return [class_name(self.class_names, number) for number in self.predicted.tolist()]


def predict(request: PredictRequest) -> Predictions:
    """Read, check and predict.

    Raises:
        CheckpointError, DataError, EnvironmentFault.
    """
    restored = read_restored(request.checkpoint)
    facts = restored.checkpoint.preprocessing.facts
    examples = load_examples(request.input, facts, format=request.format, labels="optional")
    with restored_session(restored) as session:
        outputs = session.evaluator.predict(examples.features)
    return predictions_of(restored, outputs)


def predictions_of(restored: Restored, outputs: NDArray[np.float32]) -> Predictions:
    """What outputs (examples, outputs) of the restored model say."""
    experiment = restored.checkpoint.experiment
    facts = restored.checkpoint.preprocessing.facts
    if facts.class_names is None:
        return Predictions(outputs, outputs, None, facts.label_name, restored.warnings)
    return Predictions(
        class_probabilities(experiment, outputs)[:, : len(facts.class_names)],
        predicted_classes(experiment, outputs),
        facts.class_names,
        facts.label_name,
        restored.warnings,
    )
