"""The composite action: its last step, run by bash as a runner would."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "train" / "action.yml"


@pytest.fixture
def step(tmp_path):
    """(arguments) -> the words that bmtrain is called with."""
    program = tmp_path / "bmtrain"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    script = yaml.safe_load(ACTION.read_text())["runs"]["steps"][-1]["run"]

    def run(arguments):
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "CONFIG": "my config.yaml",
                "JUNIT": "out.xml",
                "ARGUMENTS": arguments,
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return ended.stdout.splitlines()

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", []),
        ("training.epochs=2 --quiet", ["training.epochs=2", "--quiet"]),
        ("--expect 'test.accuracy >= 0.9'", ["--expect", "test.accuracy >= 0.9"]),
        ("seed=$(touch x) `id`", ["seed=$(touch", "x)", "`id`"]),
    ],
)
def test_arguments_are_words_and_nothing_in_them_is_run(step, arguments, words):
    assert step(arguments) == ["train", "my config.yaml", *words, "--junit", "out.xml"]


def test_what_the_action_and_the_workflow_name_is_there():
    action = yaml.safe_load(ACTION.read_text())
    assert action["inputs"]["config"]["required"]
    install = action["runs"]["steps"][1]["run"]
    assert "requirements/runtime.txt" in install
    assert (ACTION.parent / "../../../requirements/runtime.txt").resolve().is_file()
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    for job in workflow["jobs"].values():
        for each in job["steps"]:
            if each.get("uses", "").startswith("./"):
                assert (ROOT / each["uses"] / "action.yml").is_file()
                assert (ROOT / each["with"]["config"]).is_file()
