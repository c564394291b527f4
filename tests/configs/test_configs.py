"""Every file in configs/: valid, described, and true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bmtrain.config.load import load_config
from tests.config_plugins import plugin_paths, plugins_of

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.fixture(params=CONFIGS, ids=lambda path: path.stem)
def config(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


def words_of(config: Path) -> list[str | Path]:
    """``train`` with the plugins of the header."""
    named = [word for plugin in plugin_paths(config) for word in ("--plugin", plugin)]
    return [sys.executable, "-m", "bmtrain", "train", config, *named]


def test_there_are_configs() -> None:
    assert {"mnist", "smoke", "gradient_descent", "mnist_l2"} <= {path.stem for path in CONFIGS}


def test_a_config_is_valid_and_says_what_it_must_reach(config: Path) -> None:
    loaded = load_config(config, plugins=plugins_of(config))
    assert loaded.warnings == ()
    assert loaded.experiment.expect


def test_a_config_opens_with_its_command_its_time_and_its_result(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    header = text[: text.index("\nname:")]
    assert all(line.startswith("#") for line in header.splitlines())
    assert f"bmtrain train {config.relative_to(ROOT)}" in header
    assert re.search(r"About \d+ s on \d CPU cores", header)
    assert re.search(r"[Tt]est \w+ .*\d\.\d", header, re.DOTALL)


#: What the first minutes with the program, and CI's of others, rest on.
TRAINED_HERE = {"smoke", "mnist", "penguins"}
OTHERS = [path for path in CONFIGS if path.stem not in TRAINED_HERE]

#: One of each kind of data and of model; all to their results are long.
A_LITTLE = [
    path
    for path in OTHERS
    if path.stem in {"bikeshare", "digits_cnn", "large", "quantile", "speeches", "splice"}
]

#: All in one process, for TensorFlow takes longer to start than each of these trainings.
TRAIN_A_LITTLE = """
import pathlib, sys, bmtrain
from tests.config_plugins import plugin_paths
for number, config in enumerate(sys.argv[2:]):
    print(config, flush=True)
    little = ["training.epochs=2", "data.train_examples=300", "expect=[]"]
    if config.endswith("large.yaml"):
        little += ["model.width=32", "model.num_layers=2"]
    plugins = plugin_paths(pathlib.Path(config))
    bmtrain.train(config, little, run_dir=f"{sys.argv[1]}/{number}", plugins=plugins)
"""


def test_a_config_of_each_kind_runs_for_two_epochs_of_few_examples(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TRAIN_A_LITTLE, str(tmp_path), *map(str, A_LITTLE)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.split() == [str(path) for path in A_LITTLE]
    assert len(A_LITTLE) == 6


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.long] if path in OTHERS else [])
        for path in CONFIGS
    ],
)
def test_a_config_trains_to_what_its_header_says(config: Path, tmp_path: Path) -> None:
    ended = subprocess.run(
        [*words_of(config), "--run-dir", tmp_path / "run", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = json.loads(ended.stdout)
    assert all(item["met"] for item in summary["expectations"])
    stated = re.search(
        r"[Tt]est (\w+) (\d+\.\d+)[\w ]* \(seed 0\)", config.read_text(encoding="utf-8")
    )
    if stated is not None:
        # Another processor rounds differently; a hundredth of an accuracy is far beyond that, and
        # so is a tenth of an error.
        value = float(stated[2])
        near = 0.01 if stated[1] == "accuracy" else 0.1 * value
        assert summary["metrics"]["test"][stated[1]] == pytest.approx(value, abs=near)
