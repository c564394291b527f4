"""The tensors must be those that the recorded config implies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.errors import CheckpointError, ConfigError


def test_the_expected_shapes_are_asked_for_before_the_tensors_are_read(written: Path) -> None:
    (written / "model.safetensors").write_bytes(b"")
    asked = []

    def expected(experiment: Any, preprocessing: Preprocessing) -> dict[str, tuple[int, ...]]:
        asked.append((experiment.name, preprocessing.facts.input_shape))
        return {"layers.1.kernel": (4, 2), "layers.1.bias": (2,)}

    with pytest.raises(CheckpointError, match=r"layers\.1\.kernel has shape \(3, 2\).*\(4, 2\)"):
        read_checkpoint(written, expected)
    assert asked == [("small", (3,))]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"layers.1.kernel": (3, 2)}, r"layers\.1\.bias' does not belong"),
        (
            {"layers.1.kernel": (3, 2), "layers.1.bias": (2,), "layers.2.x": ()},
            r"layers\.2\.x is missing",
        ),
    ],
)
def test_missing_and_additional_tensors_are_named(
    written: Path, shapes: dict[str, Any], words: str
) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        read_checkpoint(written, lambda _experiment, _preprocessing: shapes)
    assert caught.value.where == str(written / "model.safetensors")


def test_the_expected_shapes_let_the_right_model_through(written: Path) -> None:
    shapes = {"layers.1.kernel": (3, 2), "layers.1.bias": (2,)}
    assert read_checkpoint(written, lambda *_: shapes).model.keys() == shapes.keys()


def test_a_recorded_config_that_makes_no_model_is_the_checkpoints_error(written: Path) -> None:
    def refuse(*_: object) -> Any:
        raise ConfigError("no such layers")

    with pytest.raises(CheckpointError, match="the recorded config does not hold: no such layers"):
        read_checkpoint(written, refuse)

    def refuse_as_checkpoint(*_: object) -> Any:
        raise CheckpointError("it does not fit")

    with pytest.raises(CheckpointError, match=r"^it does not fit$"):
        read_checkpoint(written, refuse_as_checkpoint)
