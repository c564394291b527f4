"""The examples to explain, read as ``eval`` reads them, and what the model says of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.load import load_examples
from bmtrain.data.raw.streamed_rows import Features
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.errors import DataError, UsageError
from bmtrain.figures import class_name, count
from bmtrain.models.decision import class_probabilities, predicted_classes
from bmtrain.models.example_figures import values_per_example
from bmtrain.workflows.explaining.request import NUM_EXAMPLES, ExplainRequest
from bmtrain.workflows.recorded_examples import recorded_split
from bmtrain.workflows.restoring import Restored


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples (examples, ...) as they are read; labels and files where there are any."""

    name: str
    features: Features
    labels: NDArray[Any] | None
    files: Sequence[Path] | None


def read_examples(
    request: ExplainRequest, restored: Restored, note: Callable[[str], None]
) -> Examples:
    """Of ``request.data``, or of the split that the model's own data has.

    Raises:
        UsageError, DataError, CheckpointError, EnvironmentFault: as of ``eval``.
    """
    if request.data is None:
        name, split = recorded_split(restored, request.split, note)
        return Examples(name, split.features, split.labels, split.files)
    read = load_examples(
        request.data,
        restored.checkpoint.preprocessing.facts,
        format=request.format,
        labels="required" if request.needs_labels else "optional",
        ignore_unknown=request.ignore_unknown_columns or restored.chose_columns,
        formats=request.plugins.formats,
    )
    return Examples(str(request.data), read.features, read.labels, None)


def chosen_numbers(request: ExplainRequest, examples: Examples) -> tuple[int, ...] | None:
    """Those that are asked for, or the first; None: the worst are to be found.

    Raises:
        DataError: there is no such example.
    """
    number = len(examples.features)
    if request.worst is not None:
        return None
    if request.examples is None:
        return tuple(range(min(NUM_EXAMPLES, number)))
    for asked in request.examples:
        if asked >= number:
            raise DataError(
                f"there is no example {asked:,}: there are {number:,}, numbered from 0",
                where=examples.name,
            )
    return request.examples


def worst_numbers(
    experiment: ExperimentConfig, outputs: NDArray[np.float32], labels: NDArray[Any], number: int
) -> tuple[int, ...]:
    """The examples of the largest loss, the largest first."""
    losses = values_per_example(experiment, "loss", outputs, labels)
    return tuple(np.argsort(-losses, kind="stable")[:number].tolist())


def require_target(
    text: str | None, facts: DataFacts, num_outputs: int, name: str = "--target"
) -> int | None:
    """The number of the class or target called ``text``; None: none was asked for.

    Args:
        name: what the caller calls it.

    Raises:
        UsageError: there is none.
    """
    if text is None:
        return None
    names = facts.class_names or ()
    if text in names:
        return names.index(text)
    number = max(num_outputs, len(names))
    if text.isascii() and text.isdigit() and len(text) <= 9 and int(text) < number:
        return int(text)
    what = ("class", "classes") if names else ("target", "targets")
    raise UsageError(
        f"{name}: there is no {what[0]} '{text}'; there are {count(number, *what)}, "
        "by number from 0" + (" or by name" if names else ""),
        hint=did_you_mean(text, names),
    )


def said(
    experiment: ExperimentConfig,
    facts: DataFacts,
    outputs: NDArray[np.float32],
    label: Any | None,
) -> dict[str, Any]:
    """What the model says of one example, outputs (outputs,), and what is true.

    ``predicted``, ``probability`` and ``target``; of numbers the first two are lists and null.
    """
    if facts.class_names is None:
        target = None if label is None else np.asarray(label).tolist()
        return {"predicted": outputs.tolist(), "probability": None, "target": target}
    predicted = int(predicted_classes(experiment, outputs[None])[0])
    probability = float(column_of(class_probabilities(experiment, outputs[None]), predicted)[0])
    return {
        "predicted": class_name(facts.class_names, predicted),
        "probability": probability,
        "target": None if label is None else class_name(facts.class_names, int(label)),
    }


def column_of(values: NDArray[Any], column: int) -> NDArray[np.float64]:
    """The column (rows,) of a class; a single score for two classes is that of both."""
    return values[:, min(column, values.shape[1] - 1)].astype(np.float64)
