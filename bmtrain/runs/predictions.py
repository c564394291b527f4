"""``predictions/``: what the evaluated model said about each example of a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain import tensor_files
from bmtrain.durable import environment_faults, make_directory, write_bytes
from bmtrain.errors import DataError
from bmtrain.regular_files import NotRegular, opened_regular

_NAMES = {"outputs", "labels", "predicted"}
_OPTIONAL = {"weights"}


@dataclass(frozen=True, slots=True)
class StoredPredictions:
    """Per example of a split, in its order.

    Attributes:
        outputs: float32 (examples, outputs): class probabilities, or targets.
        labels: what is true: int32 classes (examples,), or float32 targets (examples, outputs).
        predicted: what the model says, shaped and typed like the labels.
        weights: float32 (examples,), what each counts in the loss; None: 1 each.
    """

    outputs: NDArray[np.float32]
    labels: NDArray[np.int32] | NDArray[np.float32]
    predicted: NDArray[np.int32] | NDArray[np.float32]
    weights: NDArray[np.float32] | None = None


def predictions_path(directory: Path, split: str) -> Path:
    """The file of one split in a run's ``predictions/``."""
    return directory / f"{split}.safetensors"


def write_predictions(directory: Path, split: str, predictions: StoredPredictions) -> Path:
    """Writes them whole or not at all, making the directory if need be.

    Raises:
        EnvironmentFault: they cannot be written.
    """
    with environment_faults(directory, "make the directory of predictions"):
        make_directory(directory)
    path = predictions_path(directory, split)
    found = {name: getattr(predictions, name) for name in sorted(_NAMES | _OPTIONAL)}
    tensors = {name: array for name, array in found.items() if array is not None}
    write_bytes(path, tensor_files.encode(tensors), links=False)
    return path


def read_predictions(path: Path) -> StoredPredictions:
    """Reads what ``write_predictions`` wrote.

    Raises:
        DataError: damaged, or not such a file. EnvironmentFault: it cannot be read.
    """
    with environment_faults(path, "read the predictions"):
        try:
            with opened_regular(path) as (descriptor, size):
                tensors = _read(descriptor, size)
        except (ValueError, NotRegular) as error:
            raise DataError(f"not stored predictions: {error}", where=str(path)) from None
    return StoredPredictions(**tensors)


def _read(descriptor: int, size: int) -> dict[str, tensor_files.Array]:
    places = tensor_files.read_places(descriptor, size)
    if places.keys() - _OPTIONAL != _NAMES:
        raise ValueError(f"expected the tensors {', '.join(sorted(_NAMES))}")
    content = tensor_files.read_content(descriptor, size)
    tensors = tensor_files.TensorFile(content, places).tensors()
    outputs, labels, predicted = (tensors[name] for name in ("outputs", "labels", "predicted"))
    if outputs.dtype != np.float32 or outputs.ndim != 2:
        raise ValueError("outputs: expected float32 (examples, outputs)")
    if labels.dtype not in (np.int32, np.float32) or labels.shape[:1] != outputs.shape[:1]:
        raise ValueError("labels: expected int32 or float32, one per example")
    if predicted.dtype != labels.dtype or predicted.shape != labels.shape:
        raise ValueError("predicted: expected the labels' dtype and shape")
    weights = tensors.get("weights")
    if weights is not None and (
        weights.dtype != np.float32
        or weights.shape != outputs.shape[:1]
        or not np.isfinite(weights).all()
    ):
        raise ValueError("weights: expected finite float32, one per example")
    return tensors
