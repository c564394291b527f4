"""How well a classifier does on its test split: stored predictions, judged class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.wording.quoting import short
from bmtrain.errors import DataError
from bmtrain.evidence import Interval, wilson_interval
from bmtrain.figures import class_name
from bmtrain.models.decision import class_probabilities
from bmtrain.models.split_figures import NUM_BINS, calibration_error, confidence_bins
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.predictions import StoredPredictions, predictions_path
from bmtrain.workflows.evaluate import per_class_figures
from bmtrain.workflows.reporting.reading import ReportedRun

Values = NDArray[np.float64]
#: A class of fewer test examples has figures that say little.
FEW: Final = 30


@dataclass(frozen=True, slots=True)
class JudgedClasses:
    """Stored predictions of a test split, which fit each other and the names.

    Attributes:
        labels, predicted: int32 (examples,).
        confidence: (examples,) probability of the class that was said; None: outputs are scores.
        probabilities: (examples, classes) of all classes; None likewise.
        names: of the classes.
    """

    labels: NDArray[np.int32]
    predicted: NDArray[np.int32]
    confidence: Values | None
    probabilities: Values | None
    names: tuple[str, ...]

    @property
    def num_examples(self) -> int:
        """Of the split."""
        return len(self.labels)

    @property
    def num_right(self) -> int:
        """Those whose class was said."""
        return int((self.labels == self.predicted).sum())

    def name(self, number: int) -> str:
        """Of a class; a model may have outputs beyond them."""
        return class_name(self.names, number)

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.num_right / self.num_examples

    @property
    def interval(self) -> Interval:
        """Of the accuracy on examples like these."""
        return wilson_interval(self.num_right, self.num_examples)

    @property
    def commonest(self) -> tuple[str, float]:
        """The class that most test examples are of, and their share."""
        counts = np.bincount(self.labels)
        return self.name(int(counts.argmax())), float(counts.max() / self.num_examples)

    def per_class(self) -> list[dict[str, Any]]:
        """``per_class_figures``, with intervals of precision and recall."""
        entries = per_class_figures(self.labels, self.predicted, self.names)
        size = len(self.names)
        hits = np.bincount(self.labels[self.labels == self.predicted], minlength=size)
        taken = np.bincount(self.predicted, minlength=size)
        return [
            {
                **entry,
                "precision_interval": wilson_interval(int(hits[number]), int(taken[number])),
                "recall_interval": wilson_interval(int(hits[number]), entry["support"]),
            }
            for number, entry in enumerate(entries)
        ]

    def confusions(self, most: int) -> list[tuple[int, int, int]]:
        """(count, class, taken for) of the most frequent mistakes, the most frequent first."""
        is_wrong = self.labels != self.predicted
        pairs = np.stack([self.labels[is_wrong], self.predicted[is_wrong]])
        kinds, counts = np.unique(pairs, axis=1, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:most]
        return [(int(counts[i]), int(kinds[0, i]), int(kinds[1, i])) for i in order]

    def bins(self) -> list[dict[str, Any]]:
        """Of each bin with examples: mean confidence, share that is right, its interval, number."""
        if self.confidence is None:
            return []
        numbers = confidence_bins(self.confidence)
        is_right = self.labels == self.predicted
        found = []
        for number in range(NUM_BINS):
            inside = numbers == number
            total, right = int(inside.sum()), int(is_right[inside].sum())
            if total:
                interval = wilson_interval(right, total)
                found.append(
                    {
                        "from": number / NUM_BINS,
                        "to": (number + 1) / NUM_BINS,
                        "confidence": float(self.confidence[inside].mean()),
                        "share": right / total,
                        "low": interval.low,
                        "high": interval.high,
                        "count": total,
                    }
                )
        return found

    @property
    def calibration_error(self) -> float | None:
        """``expected_calibration_error``; None where there are no probabilities."""
        if self.probabilities is None:
            return None
        return calibration_error(self.labels, self.probabilities)

    def worst(self, most: int) -> Sequence[int]:
        """Wrong examples, those first of which the model was most sure."""
        wrong = np.flatnonzero(self.labels != self.predicted)
        if self.confidence is None:
            return [int(row) for row in wrong[:most]]
        order = np.argsort(-self.confidence[wrong], kind="stable")
        return [int(row) for row in wrong[order[:most]]]


def judged_classes(run: ReportedRun) -> JudgedClasses | None:
    """None where no predictions of classes are stored.

    Raises:
        DataError: they do not fit the run.
    """
    stored = run.run.predictions
    if stored is None or stored.labels.dtype != np.int32 or not len(stored.labels):
        return None
    labels, predicted = stored.labels, stored.predicted
    names = run.class_names
    num_classes = (
        len(names) if names is not None else 1 + int(max(labels.max(), predicted.max(), 1))
    )
    num_outputs = max(stored.outputs.shape[1], 2)
    is_fit = labels.min() >= 0 and labels.max() < num_classes
    is_fit = is_fit and predicted.min() >= 0 and predicted.max() < max(num_outputs, num_classes)
    if not is_fit or num_classes > num_outputs or labels.ndim != 1:
        path = predictions_path(RunDirectory(run.path).predictions, "test")
        raise DataError("they do not fit the run's classes", where=str(path))
    probabilities = _probabilities(run, stored)
    confidence = None
    if probabilities is not None:
        confidence = probabilities[np.arange(len(predicted)), predicted]
    return JudgedClasses(
        labels.astype(np.int32, copy=False),
        predicted.astype(np.int32, copy=False),
        confidence,
        probabilities,
        tuple(map(short, names or map(str, range(num_classes)))),
    )


def _probabilities(run: ReportedRun, stored: StoredPredictions) -> Values | None:
    if not run.run.experiment.loss.is_crossentropy:
        return None
    with np.errstate(all="ignore"):
        values = class_probabilities(run.run.experiment, stored.outputs).astype(np.float64)
    are_shares = np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1 + 1e-3
    return np.minimum(values, 1.0) if are_shares else None
