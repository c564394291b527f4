"""The listing is the resolved config, and its places are where a person finds the values."""

from pathlib import Path

import pytest
import yaml

from bmtrain.config.load import load_config
from bmtrain.config.origin_listing import listed_with_origins
from bmtrain.config.resolved import plain
from tests.config_plugins import plugins_of

BASE = """\
name: base
data:
  source: mnist
model:
  layers:
    - {type: flatten}
    - type: dense
      units: 10
      activation: softmax
loss: sparse_categorical_crossentropy
metrics: [acc]
optimizer: adam
training: {epochs: 5,
           batch_size: 64}
"""
MINE = """\
extends: base.yaml
name: mine

training:
  epochs: 7
  batch_size: null
expect:
  - "test.accuracy >= 0.5"
  - "test.loss <= 3"
"""


@pytest.fixture
def listing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    Path("mine.yaml").write_text(MINE)

    def load(*overrides):
        loaded = load_config(Path("mine.yaml"), overrides)
        return loaded, listed_with_origins(loaded)

    return load


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("name", "mine", "mine.yaml:2"),
        ("seed", 0, "default"),
        ("data.source", "mnist", "base.yaml:3"),
        ("data.splits.test", None, "default"),
        ("model.type", "layers", "base.yaml:5"),
        ("model.layers.0.type", "flatten", "base.yaml:6"),
        ("model.layers.1.units", 10, "base.yaml:8"),
        ("model.layers.1.use_bias", True, "default"),
        ("loss.name", "sparse_categorical_crossentropy", "base.yaml:10"),
        ("metrics", ["accuracy"], "base.yaml:11"),
        ("optimizer.name", "adam", "base.yaml:12"),
        ("optimizer.learning_rate", 0.5, "override 2"),
        ("optimizer.beta_1", 0.9, "default"),
        ("training.epochs", 9, "override 1"),
        ("training.batch_size", 32, "default"),  # null restores it
        ("training.early_stopping", None, "default"),
        ("expect", ["test.accuracy >= 0.5", "test.loss <= 2"], "mine.yaml:8, override 3"),
    ],
)
def test_each_setting_has_the_place_where_it_is_written(listing, key, value, origin):
    _, lines = listing(
        "training.epochs=9", "optimizer.learning_rate=0.5", "expect.1='test.loss <= 2'"
    )
    (line,) = [line for line in lines if line.key == key]
    assert (line.value, line.origin) == (value, origin)


def test_the_lines_are_the_whole_config_and_no_key_is_there_twice(listing):
    loaded, lines = listing()
    assert yaml.safe_load("\n".join(line.text for line in lines)) == plain(loaded.experiment)
    keys = [line.key for line in lines if line.key]
    assert len(keys) == len(set(keys))
    assert all(bool(line.key) == bool(line.origin) for line in lines)


@pytest.mark.parametrize("config", sorted(Path("configs").rglob("*.yaml"), key=str))
def test_the_listing_of_every_config_here_loads_as_the_same_experiment(config, tmp_path):
    plugins = plugins_of(config)
    loaded = load_config(config, (), plugins=plugins)
    copy = tmp_path / "copy.yaml"
    copy.write_text("\n".join(line.text for line in listed_with_origins(loaded)))
    assert load_config(copy, (), plugins=plugins).experiment == loaded.experiment
