"""From a model's outputs to probabilities and classes, on the host. No TensorFlow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig

Outputs = NDArray[np.float32]


def takes_logits(experiment: ExperimentConfig) -> bool:
    """Whether the model's outputs are logits."""
    return bool(getattr(experiment.loss, "from_logits", False))


def decision_threshold(experiment: ExperimentConfig) -> float:
    """Above which a single output means the second class: 0 for a logit, 0.5 for a probability."""
    return 0.0 if takes_logits(experiment) else 0.5


def predicted_classes(experiment: ExperimentConfig, outputs: Outputs) -> NDArray[np.int32]:
    """Class numbers (examples,) of outputs (examples, outputs): the largest, the first of equals."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > decision_threshold(experiment)).astype(np.int32)
    return outputs.argmax(axis=1).astype(np.int32)


def class_probabilities(experiment: ExperimentConfig, outputs: Outputs) -> Outputs:
    """One column per class; logits become probabilities, computed in float64.

    Under a regression loss (one-hot targets) the outputs are scores and stay as they are.
    """
    if not experiment.loss.is_crossentropy:
        return outputs
    values = outputs.astype(np.float64)
    if outputs.shape[1] == 1:
        # The logistic function through tanh, which never overflows.
        second = 0.5 * (1 + np.tanh(values / 2)) if takes_logits(experiment) else values
        return np.concatenate([1 - second, second], axis=1).astype(np.float32)
    if takes_logits(experiment):
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
    return values.astype(np.float32)
