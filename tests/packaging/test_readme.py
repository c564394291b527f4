"""The README tells what is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.sections.optimizer import Optimizer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_has_a_line_for_each_file_as_the_file_says_it() -> None:
    tree = subprocess.run(
        [ROOT / "scripts" / "tree"], capture_output=True, text=True, check=True
    ).stdout
    assert tree in README, "run scripts/tree --write"


def test_the_first_config_is_the_reference_experiment() -> None:
    config = (ROOT / "configs" / "mnist.yaml").read_text(encoding="utf-8")
    assert config[config.index("name:") :] in README


def test_every_section_layer_and_optimizer_is_named() -> None:
    sections = set(ExperimentConfig.model_fields) - {"name", "seed"}
    layers = _tags(Layer, "type")
    optimizers = _tags(Optimizer, "name")
    assert len(layers) >= 7
    assert len(optimizers) >= 9
    missing = [name for name in sections | layers | optimizers if f"`{name}" not in README]
    assert missing == []


def _tags(union: object, tag: str) -> set[str]:
    """The literal that each member of a discriminated union has for ``tag``."""
    members = union.__args__[0].__args__  # type: ignore[attr-defined]
    return {member.model_fields[tag].annotation.__args__[0] for member in members}
