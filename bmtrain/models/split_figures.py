"""Figures that are no mean over examples: of a whole split's outputs, on the host, in float64.

scikit-learn's definitions under the same names. Every example counts once. What has no value (an
area where one of the two sides has no example) is NaN. No TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.plugin_signatures import given_by
from bmtrain.config.plugin_tables import MetricEntry, called
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.errors import PluginError
from bmtrain.models.decision import class_probabilities, predicted_classes

Values = NDArray[np.float64]
#: (outputs (examples, outputs) float32, labels or targets) -> the figure
SplitFigure = Callable[[NDArray[np.float32], NDArray[Any]], float]

#: Bins of the calibration error, of equal width (Guo et al. 2017).
NUM_BINS: Final = 15


def split_figures(experiment: ExperimentConfig) -> dict[str, SplitFigure]:
    """The config's metrics that are no mean over examples, by name, in its order."""
    return {
        name: partial(_figure, experiment, name)
        for name in experiment.metrics
        if not experiment.metric_facts(name).is_mean
    }


def _figure(
    experiment: ExperimentConfig, name: str, outputs: NDArray[np.float32], labels: NDArray[Any]
) -> float:
    if (entry := experiment.plugins.metrics.get(name)) is not None:
        return _of_plugin(experiment, entry, outputs, labels)
    if name in _OF_NUMBERS:
        targets = labels.astype(np.float64)
        return float(_OF_NUMBERS[name](targets, outputs.astype(np.float64)))
    if name in _OF_PROBABILITIES:
        probabilities = class_probabilities(experiment, outputs).astype(np.float64)
        return float(_OF_PROBABILITIES[name](labels, probabilities))
    predicted = predicted_classes(experiment, outputs)
    if name == "matthews_corrcoef":
        return _matthews(labels, predicted)
    kind, _, average = name.partition("_")
    return _of_classes(labels, predicted, kind, average)


def _of_plugin(
    experiment: ExperimentConfig,
    entry: MetricEntry,
    outputs: NDArray[np.float32],
    labels: NDArray[Any],
) -> float:
    """A figure of a whole split's outputs, as ``bmtrain.plugins.register_metric`` says."""
    assert entry.of_split is not None
    if experiment.loss.is_crossentropy:
        outputs = class_probabilities(experiment, outputs)
    value = given_by(called(entry), entry.of_split, labels, outputs.astype(np.float64))
    if np.ndim(value) != 0 or not isinstance(value, int | float | np.number):
        raise PluginError(f"{called(entry)}: expected a number, got {type(value).__name__}")
    return float(value)


def _of_classes(
    labels: NDArray[Any], predicted: NDArray[np.int32], kind: str, average: str
) -> float:
    """Precision, recall or F1: of the second of two classes, or the mean over all that occur.

    0 where the denominator is: ``zero_division=0``.
    """
    size = 1 + int(max(labels.max(), predicted.max(), 1))
    hits = np.bincount(labels[labels == predicted], minlength=size).astype(np.float64)
    taken, actual = np.bincount(predicted, minlength=size), np.bincount(labels, minlength=size)
    parts = {"precision": (hits, taken), "recall": (hits, actual), "f1": (2 * hits, taken + actual)}
    part, whole = parts[kind]
    values = np.divide(part, whole, out=np.zeros(size), where=whole > 0)
    if not average:
        return float(values[1])
    if average == "weighted":
        return float((values * actual).sum() / len(labels))
    return float(values[(taken + actual) > 0].mean())


def _matthews(labels: NDArray[Any], predicted: NDArray[np.int32]) -> float:
    """The correlation of labels and predictions over K classes (Gorodkin 2004); 0 without one."""
    size = 1 + int(max(labels.max(), predicted.max()))
    taken = np.bincount(predicted, minlength=size).astype(np.float64)
    actual = np.bincount(labels, minlength=size).astype(np.float64)
    num_examples = float(len(labels))
    hits = float((labels == predicted).sum())
    covariance = hits * num_examples - taken @ actual
    variances = (num_examples**2 - taken @ taken) * (num_examples**2 - actual @ actual)
    return float(covariance / np.sqrt(variances)) if variances else 0.0


def _roc_auc(labels: NDArray[Any], probabilities: Values) -> float:
    """Two classes: of the second; more: each against the rest, the mean over those that occur."""
    if probabilities.shape[1] == 2:
        return _area(labels == 1, probabilities[:, 1])
    occurring = np.unique(labels)
    return float(
        np.mean([_area(labels == number, probabilities[:, number]) for number in occurring])
    )


def _area(is_positive: NDArray[np.bool_], scores: Values) -> float:
    """The share of pairs in which the positive example scores higher; equal ones count half."""
    num_positive = int(is_positive.sum())
    num_negative = len(is_positive) - num_positive
    if not num_positive or not num_negative:
        return float("nan")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = ranks[is_positive].sum() - num_positive * (num_positive + 1) / 2
    return float(above / (num_positive * num_negative))


def confidence_bins(confidence: Values) -> NDArray[np.int64]:
    """Of each probability the number of its bin: b/15 < p ≤ (b + 1)/15."""
    return np.clip(np.ceil(confidence * NUM_BINS).astype(np.int64) - 1, 0, NUM_BINS - 1)


def calibration_error(labels: NDArray[Any], probabilities: Values) -> float:
    """Σ (n_b/n)·|accuracy − mean confidence| over bins of the predicted class's probability."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    number = confidence_bins(confidence)
    gaps = np.bincount(number, (predicted == labels) - confidence, minlength=NUM_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _r2(targets: Values, outputs: Values) -> float:
    """1 − Σ(y − h)²/Σ(y − ȳ)², the mean over outputs; of a constant target 1 if it is met, else 0."""
    return _explained((targets - outputs) ** 2, targets)


def _explained_variance(targets: Values, outputs: Values) -> float:
    """1 − Var(y − h)/Var(y), the mean over outputs; of a constant target as ``r2``."""
    errors = targets - outputs
    return _explained((errors - errors.mean(axis=0)) ** 2, targets)


def _explained(squares: Values, targets: Values) -> float:
    left, whole = squares.sum(axis=0), ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    of_constant = np.where(left == 0, 1.0, 0.0)
    quotient = np.divide(left, whole, out=np.zeros_like(left), where=whole > 0)
    return float(np.where(whole > 0, 1 - quotient, of_constant).mean())


_OF_PROBABILITIES: Final[dict[str, Callable[[NDArray[Any], Values], float]]] = {
    "roc_auc": _roc_auc,
    "expected_calibration_error": calibration_error,
}
_OF_NUMBERS: Final[dict[str, Callable[[Values, Values], float]]] = {
    "max_error": lambda targets, outputs: float(np.abs(targets - outputs).max()),
    "r2": _r2,
    "explained_variance": _explained_variance,
}
