"""``bmtrain eval``: a checkpoint's figures on a split of its data, or on other data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.data.examples.dataset import Split
from bmtrain.data.load import load_examples
from bmtrain.data.tables.model_columns import IGNORE_UNKNOWN
from bmtrain.errors import UsageError
from bmtrain.models.decision import predicted_classes
from bmtrain.workflows.recorded_examples import recorded_split
from bmtrain.workflows.restoring import Restored, read_restored, restored_session

#: Classes in a confusion matrix: the square of more would outgrow the data itself.
MAX_CONFUSION = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateRequest:
    """Which checkpoint, on which examples: a split of its own data, or ``data``.

    ``ignore_unknown_columns`` lets pass what the model does not know in a table.
    """

    checkpoint: Path
    split: str | None = None
    data: Path | None = None
    format: str = "auto"
    ignore_unknown_columns: bool = False
    plugins: Plugins = NO_PLUGINS


def evaluate(
    request: EvaluateRequest, note: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """The document of ``eval --json``: checkpoint, split, examples, metrics, classes, confusion.

    Args:
        request: what to evaluate on what.
        note: told which file the run recorded as its data, before that is opened.

    Raises:
        UsageError, CheckpointError, DataError, EnvironmentFault.
    """
    if request.data is not None and request.split is not None:
        raise UsageError("--split is of the model's own data: give either --split or --data")
    if request.ignore_unknown_columns and request.data is None:
        raise UsageError(f"{IGNORE_UNKNOWN} is about --data")
    restored = read_restored(request.checkpoint, request.plugins)
    name, split = _examples(request, restored, note)
    experiment = restored.checkpoint.experiment
    facts = restored.checkpoint.preprocessing.facts
    with restored_session(restored) as session:
        evaluation = session.evaluator.evaluate(split)
    document: dict[str, Any] = {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "checkpoint": str(restored.found.path),
        "which": restored.found.which,
        "skipped": restored.warnings,
        "split": name,
        "examples": split.num_examples,
        "metrics": evaluation.figures,
    }
    if facts.class_names is not None:
        predicted = predicted_classes(experiment, evaluation.outputs)
        confusion = confusion_matrix(split.labels, predicted, len(facts.class_names))
        document["class_names"] = list(facts.class_names)
        document["per_class"] = per_class_figures(split.labels, predicted, facts.class_names)
        document["confusion"] = None if confusion is None else confusion.tolist()
    return document


def _examples(
    request: EvaluateRequest, restored: Restored, note: Callable[[str], None]
) -> tuple[str, Split]:
    checkpoint = restored.checkpoint
    facts = checkpoint.preprocessing.facts
    if request.data is not None:
        examples = load_examples(
            request.data,
            facts,
            format=request.format,
            labels="required",
            ignore_unknown=request.ignore_unknown_columns or restored.chose_columns,
            formats=request.plugins.formats,
        )
        assert examples.labels is not None  # they were required
        return str(request.data), Split(examples.features, examples.labels, examples.weights)
    return recorded_split(restored, request.split, note)


def confusion_matrix(
    labels: NDArray[Any], predicted: NDArray[np.int32], num_classes: int
) -> NDArray[np.int64] | None:
    """counts[i, j]: examples of class i that were taken for class j; None for too many classes.

    A model may have more outputs than classes; the square then has a row and a
    column for each output, so that no example is lost.
    """
    size = max(num_classes, int(predicted.max()) + 1)
    if size > MAX_CONFUSION:
        return None
    counts = np.zeros((size, size), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def per_class_figures(
    labels: NDArray[Any], predicted: NDArray[np.int32], class_names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Precision, recall and F1 of each class; None where a denominator is 0.

    That is scikit-learn's ``zero_division=nan``: without a prediction of the class there is
    no precision, without an example of it no recall, and without either no F1.
    """
    size = len(class_names)
    hits = np.bincount(labels[labels == predicted], minlength=size)
    taken, actual = np.bincount(predicted, minlength=size), np.bincount(labels, minlength=size)
    return [
        {
            "class": name,
            "precision": _ratio(hits[i], taken[i]),
            "recall": _ratio(hits[i], actual[i]),
            "f1": _ratio(2 * hits[i], taken[i] + actual[i]),
            "support": int(actual[i]),
        }
        for i, name in enumerate(class_names)
    ]


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None
