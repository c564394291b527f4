"""What the README shows of a safetensors export computes what `predict` says."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CONFIG = """\
name: mnist
data: {source: mnist, train_examples: 500}
model:
  layers:
    - {type: flatten}
    - {type: dense, units: 16, activation: relu}
    - {type: dense, units: 10, activation: softmax}
loss: sparse_categorical_crossentropy
optimizer: adam
training: {epochs: 2, batch_size: 50, engine: graph}
"""


def snippet(library: str) -> str:
    """The one Python block that imports ``library`` and safetensors."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (found,) = [b for b in blocks if f"safetensors.{library}" in b]
    return str(found)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    """A directory with mnist.safetensors, images, and what `predict` says of them."""
    directory = tmp_path_factory.mktemp("readme")
    (directory / "mnist.yaml").write_text(CONFIG)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, size=(20, 28, 28)).astype(np.uint8)
    np.save(directory / "images.npy", images)

    def bmtrain(*words: str) -> str:
        command = [sys.executable, "-m", "bmtrain", *words]
        return subprocess.run(
            command, cwd=directory, capture_output=True, text=True, check=True
        ).stdout

    bmtrain("train", "mnist.yaml", "--run-dir", "run", "--quiet")
    bmtrain("export", "run", "--to", "safetensors")
    document = json.loads(bmtrain("predict", "run", "images.npy", "--json"))
    rows = [list(record["probabilities"].values()) for record in document["predictions"]]
    return directory, images, np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_snippet_predicts(exported: tuple[Path, np.ndarray, np.ndarray], library: str) -> None:
    """In a Python of its own, which need not have this program."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    directory, _, probabilities = exported
    (directory / f"with_{library}.py").write_text(
        snippet(library)
        + "\n\nimport numpy as np\n"
        + "np.save('outputs.npy', np.asarray(predict(np.load('images.npy'))))\n"
    )
    subprocess.run([sys.executable, "-W", "error", f"with_{library}.py"], cwd=directory, check=True)
    np.testing.assert_allclose(np.load(directory / "outputs.npy"), probabilities, atol=1e-5)
