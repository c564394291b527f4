"""Stored predictions come back as they were, and what is not such a file is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bmtrain import tensor_files
from bmtrain.errors import DataError, EnvironmentFault
from bmtrain.runs.predictions import StoredPredictions, read_predictions, write_predictions

OUTPUTS = np.array([[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]], np.float32)
CLASSES = np.array([1, 0, 0], np.int32)


def predictions(**changes: Any) -> StoredPredictions:
    parts = {"outputs": OUTPUTS, "labels": CLASSES, "predicted": CLASSES[::-1]}
    return StoredPredictions(**(parts | changes))


@pytest.mark.parametrize(
    "stored",
    [
        predictions(),
        predictions(labels=OUTPUTS, predicted=OUTPUTS * 2),
        predictions(outputs=OUTPUTS[:0], labels=CLASSES[:0], predicted=CLASSES[:0]),
        predictions(weights=np.array([0, 1, 2.5], np.float32)),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, stored: StoredPredictions) -> None:
    path = write_predictions(tmp_path / "predictions", "test", stored)
    assert path == tmp_path / "predictions" / "test.safetensors"
    found = read_predictions(path)
    assert (found.weights is None) == (stored.weights is None)
    if stored.weights is not None:
        np.testing.assert_array_equal(found.weights, stored.weights)
    for name in ("outputs", "labels", "predicted"):
        np.testing.assert_array_equal(getattr(found, name), getattr(stored, name))
        assert getattr(found, name).dtype == getattr(stored, name).dtype


def test_they_may_be_written_again(tmp_path: Path) -> None:
    write_predictions(tmp_path, "test", predictions())
    path = write_predictions(tmp_path, "test", predictions(outputs=OUTPUTS * 2))
    np.testing.assert_array_equal(read_predictions(path).outputs, OUTPUTS * 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outputs": OUTPUTS[0]}, "outputs: expected float32"),
        ({"outputs": OUTPUTS.astype(np.float64)}, "outputs: expected float32"),
        ({"labels": CLASSES.astype(np.int64)}, "labels: expected int32 or float32"),
        ({"labels": CLASSES[:2]}, "labels: expected int32 or float32, one per example"),
        ({"labels": np.array(1, np.int32)}, "labels: expected int32 or float32, one per example"),
        ({"predicted": OUTPUTS}, "predicted: expected the labels' dtype"),
        ({"predicted": CLASSES[:2]}, "predicted: expected the labels' dtype"),
        ({"weights": np.ones(2, np.float32)}, "weights: expected finite float32"),
        ({"weights": np.ones(3)}, "weights: expected finite float32"),
        ({"weights": np.array([1, np.nan, 1], np.float32)}, "weights: expected finite float32"),
        ({"more": CLASSES}, "expected the tensors labels, outputs, predicted"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    tensors = {"outputs": OUTPUTS, "labels": CLASSES, "predicted": CLASSES} | change
    (tmp_path / "x").write_bytes(tensor_files.encode(tensors))
    with pytest.raises(DataError, match=words) as caught:
        read_predictions(tmp_path / "x")
    assert caught.value.where == str(tmp_path / "x")


@pytest.mark.usefixtures("nothing_hangs")
def test_a_cut_file_a_pipe_and_a_link_are_refused(tmp_path: Path) -> None:
    path = write_predictions(tmp_path, "test", predictions())
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(DataError, match="not stored predictions: the tensors end at"):
        read_predictions(path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(path)
    for name in ("pipe", "link"):
        with pytest.raises(DataError, match="not a regular file"):
            read_predictions(tmp_path / name)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "test.safetensors").symlink_to(tmp_path / "mine")
    write_predictions(tmp_path / "p", "test", predictions())
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_missing_file_is_the_environments_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="read the predictions: no such file"):
        read_predictions(tmp_path / "absent")
