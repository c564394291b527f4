"""The README and its pages tell what is there, and lead there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.layers.union import Layer
from bmtrain.config.sections.optimizer import Optimizer

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_tree_has_a_line_for_each_file_as_the_file_says_it() -> None:
    tree = subprocess.run(
        [ROOT / "scripts" / "tree"], capture_output=True, text=True, check=True
    ).stdout
    assert tree in page("docs/structure.md"), "run scripts/tree --write"


def test_the_first_config_is_the_reference_experiment() -> None:
    config = (ROOT / "configs" / "mnist.yaml").read_text(encoding="utf-8")
    assert config[config.index("name:") :] in page("README.md")


def test_every_section_layer_and_optimizer_is_named() -> None:
    sections = set(ExperimentConfig.model_fields) - {"name", "seed"}
    layers = _tags(Layer, "type")
    optimizers = _tags(Optimizer, "name")
    assert len(layers) >= 7
    assert len(optimizers) >= 9
    text = page("docs/config.md")
    missing = [name for name in sections | layers | optimizers if f"`{name}" not in text]
    assert missing == []


PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))]


def anchors(text: str) -> set[str]:
    """What a link can lead to within a page: its headings, as GitHub names them."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)", without_code, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_page_or_a_heading_of_ours_leads_there(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def _tags(union: object, tag: str) -> set[str]:
    """The literal that each member of a discriminated union has for ``tag``."""
    members = union.__args__[0].__args__  # type: ignore[attr-defined]
    return {member.model_fields[tag].annotation.__args__[0] for member in members}
