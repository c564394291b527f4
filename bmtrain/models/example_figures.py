"""A figure's value for each example, from stored outputs, on the host. No TensorFlow.

The same definitions as in ``losses`` and ``metrics``, in float64; the mean over examples is
the figure, of ``root_mean_squared_error`` its square.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.metrics import top_k
from bmtrain.models.decision import class_probabilities, predicted_classes

Values = NDArray[np.float64]

#: Keras keeps probabilities this far from 0 and 1.
_EPSILON: Final = 1e-7


def values_per_example(
    experiment: ExperimentConfig, figure: str, outputs: NDArray[np.float32], labels: NDArray[Any]
) -> Values:
    """(examples,) of ``loss`` or a metric.

    Args:
        figure: ``loss``, or one of the config's metrics.
        outputs: (examples, outputs) of the model.
        labels: int32 classes (examples,), or float32 targets shaped like the outputs.

    Raises:
        ValueError: labels and outputs do not fit each other, or the figure is another.
    """
    _require_fit(outputs, labels)
    if figure == "loss":
        return _losses(experiment, outputs.astype(np.float64), labels)
    if figure == "accuracy":
        return (predicted_classes(experiment, outputs) == labels).astype(np.float64)
    if (k := top_k(figure)) is not None:
        return (_num_larger(outputs, labels) < k).astype(np.float64)
    if figure in {"log_loss", "brier_score"}:
        probabilities = class_probabilities(experiment, outputs).astype(np.float64)
        of_probabilities = _log_losses if figure == "log_loss" else _brier_scores
        return of_probabilities(labels, probabilities)
    errors = outputs.astype(np.float64) - labels
    if figure in {"mean_squared_error", "root_mean_squared_error"}:
        return np.asarray((errors**2).mean(axis=1))
    if figure == "mean_absolute_error":
        return np.asarray(np.abs(errors).mean(axis=1))
    if figure == "mean_absolute_percentage_error":
        return np.asarray(100 * (np.abs(errors) / np.maximum(np.abs(labels), 1e-7)).mean(axis=1))
    raise ValueError(f"{figure} has no value per example")


def _require_fit(outputs: NDArray[np.float32], labels: NDArray[Any]) -> None:
    if labels.dtype == np.int32:
        num_classes = max(outputs.shape[1], 2)
        if labels.ndim != 1 or (labels < 0).any() or (labels >= num_classes).any():
            raise ValueError(f"labels: expected classes from 0 to {num_classes - 1}")
    elif labels.shape != outputs.shape:
        raise ValueError("labels: expected targets in the shape of the outputs")


def _num_larger(outputs: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.int64]:
    of_label = np.take_along_axis(outputs, labels[:, None], axis=1)
    return np.count_nonzero(outputs > of_label, axis=1)


def _log_losses(labels: NDArray[Any], probabilities: Values) -> Values:
    tiny = float(np.finfo(np.float32).eps)
    clipped = np.clip(probabilities, tiny, 1 - tiny)
    return np.asarray(np.log(clipped.sum(axis=1)) - np.log(clipped[np.arange(len(labels)), labels]))


def _brier_scores(labels: NDArray[Any], probabilities: Values) -> Values:
    squares = (probabilities - np.eye(probabilities.shape[1])[labels]) ** 2
    return np.asarray(squares[:, 1] if squares.shape[1] == 2 else squares.sum(axis=1))


def _losses(experiment: ExperimentConfig, outputs: Values, labels: NDArray[Any]) -> Values:
    loss: Any = experiment.loss
    targets = labels if labels.dtype != np.int32 else _encoded(loss.name, labels, outputs.shape[1])
    smoothing = getattr(loss, "label_smoothing", 0.0)
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / max(outputs.shape[1], 2)
    return _LOSSES[loss.name](loss, targets, outputs)


def _encoded(loss_name: str, labels: NDArray[Any], num_outputs: int) -> NDArray[Any]:
    if loss_name == "binary_crossentropy":
        return labels[:, None].astype(np.float64)
    return np.eye(num_outputs)[labels]


def _categorical(loss: Any, targets: Values, outputs: Values) -> Values:
    logits = outputs
    if not loss.from_logits:
        logits = np.log(np.clip(outputs, _EPSILON, 1 - _EPSILON))
    largest = logits.max(axis=1, keepdims=True)
    log_sum = largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
    return np.asarray((targets * (log_sum - logits)).sum(axis=1))


def _binary(loss: Any, targets: Values, outputs: Values) -> Values:
    if loss.from_logits:  # log(1 + e^z) − t·z
        return np.asarray((np.logaddexp(0, outputs) - targets * outputs).mean(axis=1))
    p = np.clip(outputs, _EPSILON, 1 - _EPSILON)
    return np.asarray(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean(axis=1))


def _huber(loss: Any, targets: Values, outputs: Values) -> Values:
    size = np.abs(outputs - targets)
    inside, outside = 0.5 * size**2, loss.delta * size - 0.5 * loss.delta**2
    return np.asarray(np.where(size <= loss.delta, inside, outside).mean(axis=1))


#: name -> (its config, targets, outputs) -> a loss per example
_LOSSES: Final[dict[str, Callable[[Any, Values, Values], Values]]] = {
    "sparse_categorical_crossentropy": _categorical,
    "categorical_crossentropy": _categorical,
    "binary_crossentropy": _binary,
    "mean_squared_error": lambda _, targets, outputs: np.asarray(
        ((outputs - targets) ** 2).mean(axis=1)
    ),
    "mean_absolute_error": lambda _, targets, outputs: np.asarray(
        np.abs(outputs - targets).mean(axis=1)
    ),
    "huber": _huber,
    "half_mean_squared_error": lambda _, targets, outputs: np.asarray(
        0.5 * ((outputs - targets) ** 2).sum(axis=1)
    ),
}
