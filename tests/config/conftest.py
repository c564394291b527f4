from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bmtrain.config.load import LoadedConfig, load_config
from bmtrain.errors import ConfigError, Diagnostic

REFERENCE = """\
name: mnist
seed: 0
data: {source: mnist}
model:
  layers:
    - {type: flatten}
    - {type: dense, units: 128, activation: relu}
    - {type: dense, units: 10, activation: softmax}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: {name: adam, learning_rate: 0.001}
training: {epochs: 5, batch_size: 32}
expect: ["test.accuracy >= 0.97"]
"""


@pytest.fixture
def reference() -> str:
    """The text of the reference experiment."""
    return REFERENCE


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedConfig]:
    """Load a text as ``config.yaml``; the reference experiment if there is none."""

    def load_text(
        *overrides: str, text: str = REFERENCE, expectations: Sequence[str] = ()
    ) -> LoadedConfig:
        path = tmp_path / "config.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides, expectations)

    return load_text


@pytest.fixture
def errors(load: Callable[..., LoadedConfig]) -> Callable[..., list[Diagnostic]]:
    """What is wrong with a text; fails if nothing is."""

    def errors_of(*overrides: str, **options: object) -> list[Diagnostic]:
        with pytest.raises(ConfigError) as caught:
            load(*overrides, **options)
        assert caught.value.exit_code == 2
        return list(caught.value.diagnostics)

    return errors_of


HEAD = "name: x\ndata: {data}\nmodel: {{layers: [{layers}]}}\nloss: {loss}\nmetrics: [{metrics}]\n"
TAIL = "optimizer: {optimizer}\ntraining: {{epochs: 10{training}}}\n{more}\n"
SOFTMAX = "{type: flatten}, {type: dense, units: 10, activation: softmax}"


def write_out(
    *,
    layers: str = SOFTMAX,
    loss: str = "sparse_categorical_crossentropy",
    metrics: str = "",
    data: str = "{source: mnist}",
    optimizer: str = "adam",
    training: str = "",
    more: str = "",
) -> str:
    return (HEAD + TAIL).format(
        data=data, layers=layers, loss=loss, metrics=metrics, optimizer=optimizer,
        training=training, more=more,
    )  # fmt: skip


@pytest.fixture
def config() -> Callable[..., str]:
    """A small config's text, part by part: layers on line 3, loss 4, metrics 5, training 7."""
    return write_out
