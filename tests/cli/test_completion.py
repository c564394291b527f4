"""Completion as a shell asks for it: in bash itself, and in the others' words."""

import os
import shutil
import subprocess
import sys

import pytest

from bmtrain.config.json_schema import json_schema
from bmtrain.config.keys import dotted_keys

CONFIG = """\
name: points
data: {source: ./points.csv, label: side}
model: {type: mlp, hidden: [8]}
loss: sparse_categorical_crossentropy
metrics: [accuracy]
optimizer: adam
training: {epochs: 1}
"""


@pytest.fixture
def place(tmp_path):
    """A directory with configs, runs and what must not be offered."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "points.yaml").write_text(CONFIG)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "a b$(touch x).yaml").write_text(CONFIG)
    for number, name in enumerate(("older", "newer")):
        checkpoint = tmp_path / "runs" / name / "checkpoints" / "step-00000005"
        checkpoint.mkdir(parents=True)
        (checkpoint / "manifest.json").write_text("{}")
        (tmp_path / "runs" / name / "run.json").write_text("{}")
        os.utime(tmp_path / "runs" / name, (number, number))
    return tmp_path


@pytest.fixture
def bash(place):
    """(words …) -> what bash's own function would offer for the last one."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    program = place / "bin" / "bmtrain"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bmtrain "$@"\n')
    program.chmod(0o755)

    def offers(*words):
        source = f"""
eval "$(bmtrain completion bash)" || exit 3
COMP_WORDS=({" ".join(f"'{word}'" for word in ("bmtrain", *words))})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_bmtrain_completion bmtrain
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
        ended = subprocess.run(
            ["bash", "--norc", "-c", source],
            cwd=place,
            env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert ended.stderr == ""
        return [line for line in ended.stdout.splitlines() if line]

    return offers


def test_commands_and_options_are_completed(bash):
    assert bash("ver") == ["verify-resume"]
    assert bash("train", "points.yaml", "--resu") == ["--resume", "--resume-if-possible"]
    assert bash("train", "points.yaml", "--device", "") == ["auto", "cpu", "gpu"]


def test_recipes_are_offered(bash):
    assert bash("init", "mni") == ["mnist", "mnist_best", "mnist_l2"]


def test_configs_and_directories_are_offered_and_no_name_that_a_shell_would_run(bash):
    assert bash("train", "") == ["points.yaml", "bin/", "configs/", "runs/"]
    assert bash("check", "p") == ["points.yaml"]


def test_runs_are_offered_newest_first_then_their_checkpoints(bash):
    assert bash("eval", "runs/")[:2] == ["runs/newer", "runs/older"]
    assert "runs/older/checkpoints/step-00000005" in bash("eval", "runs/older/")
    assert bash("train", "--resume", "runs/n") == ["runs/newer"]


def test_keys_wait_for_a_value_and_then_their_choices_come(bash):
    assert "optimizer.learning_rate=" in bash("train", "points.yaml", "optimizer.l")
    # bash takes the sign for a word of its own.
    expected = ["auto", "xla", "graph"]
    assert bash("train", "points.yaml", "training.engine", "=") == expected
    assert bash("train", "points.yaml", "training.engine", "=", "x") == ["xla"]


def test_figures_are_those_of_the_config(bash):
    assert bash("train", "points.yaml", "--expect", "test.") == [
        "test.loss",
        "test.penalty",
        "test.objective",
        "test.accuracy",
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_own_words(place, shell):
    environment = {
        **os.environ,
        "_BMTRAIN_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "bmtrain check p",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    command = [sys.executable, "-m", "bmtrain"]
    ended = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=True
    )
    assert "points.yaml" in ended.stdout
    assert ended.stderr == ""
    printed = subprocess.run(
        [*command, "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    assert f"complete_{shell}" in printed
    assert "bmtrain" in printed


def test_a_completion_that_fails_offers_nothing(place, bash):
    (place / "broken.yaml").write_text("a: [1\n")
    assert "test.accuracy" in bash("train", "broken.yaml", "--expect", "test.a")
    assert bash("train", "points.yaml", "nonsense.") == []


def test_every_key_of_the_schema_is_known():
    keys = set(dotted_keys())
    sections = {key.partition(".")[0] for key in keys}
    assert sections == set(json_schema()["else"]["properties"]) - {"extends"}
    assert {"optimizer.learning_rate", "training.early_stopping.patience"} <= keys
    assert dotted_keys()["regularization.l2_convention"] == ("mean", "sum", "half")


def test_an_unknown_shell_is_refused(bmtrain):
    ended = bmtrain("completion", "tcsh")
    assert ended.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in ended.err
