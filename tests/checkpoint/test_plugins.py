"""A checkpoint says which plugins it needs, and is read with those that are named, never with others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.read import read_checkpoint, read_description, verify_checkpoint
from bmtrain.checkpoint.write import write_checkpoint
from bmtrain.config.plugin_records import plugin_records
from bmtrain.config.plugin_tables import Plugins
from bmtrain.config.resolved import experiment_from_plain, plain
from bmtrain.errors import CheckpointError
from bmtrain.plugins.loading import load_plugins
from tests.small_checkpoints import experiment, make_checkpoint

TWINS = Path(__file__).parents[1] / "plugins" / "twins.py"


@pytest.fixture
def plugins() -> Plugins:
    return load_plugins([TWINS])


@pytest.fixture
def checkpoint(plugins: Plugins) -> Checkpoint:
    document: dict[str, Any] = plain(experiment()) | {
        "model": {"type": "layers", "layers": [{"type": "twin_dense", "units": 2}]}
    }
    made = experiment_from_plain(document, plugins=plugins)
    return make_checkpoint(experiment=made, plugins=plugin_records(made))


@pytest.fixture
def written(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "c", checkpoint)
    return tmp_path / "c"


def test_what_was_recorded_reads_back_with_the_plugin(
    written: Path, checkpoint: Checkpoint, plugins: Plugins
) -> None:
    read = read_checkpoint(written, plugins=plugins)
    assert read.plugins == checkpoint.plugins
    assert read.experiment == checkpoint.experiment


def test_without_it_the_checkpoint_is_whole_and_says_what_it_needs(written: Path) -> None:
    verify_checkpoint(written)
    for read in (read_checkpoint, read_description):
        with pytest.raises(CheckpointError, match="it needs the layer 'twin_dense' of the plugin"):
            read(written)


def test_without_plugins_a_manifest_is_what_it_was_before_there_were_any(
    tmp_path: Path, forger: Any
) -> None:
    write_checkpoint(tmp_path / "c", make_checkpoint())
    assert "plugins" not in forger.manifest(tmp_path / "c")


@pytest.mark.parametrize("value", [None, [{}], [{"file": "/etc/passwd"}], {"a": 1}])
def test_records_that_are_none_are_refused(
    written: Path, forger: Any, plugins: Plugins, value: Any
) -> None:
    document = forger.manifest(written)
    document["plugins"] = value
    forger.seal(written, document)
    with pytest.raises(CheckpointError, match="not a manifest of a checkpoint: plugins: "):
        read_checkpoint(written, plugins=plugins)
