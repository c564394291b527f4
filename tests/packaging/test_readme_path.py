"""The way that README shows from a CSV file to predictions leads there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## From your own data\n")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE))


def steps() -> list[tuple[str, str]]:
    """Each command of the section and what is shown below it."""
    shown = re.DOTALL | re.MULTILINE
    found = re.findall(r"^\$ bmtrain ([^\n]*)\n(.*?)(?=^\$ |\Z)", BLOCKS[""], shown)
    return [(command.partition("  #")[0].rstrip(), shown) for command, shown in found]


def test_it_is_six_commands_one_of_them_twice() -> None:
    verbs = [command.split()[0] for command, _ in steps()]
    assert verbs == ["init", "check", "train", "train", "compare", "export", "predict"]


@pytest.mark.slow
def test_each_command_does_what_is_shown(tmp_path: Path) -> None:
    subprocess.run(["bash", "-ec", BLOCKS["sh"]], cwd=tmp_path, check=True)
    out = {}
    environment = {**os.environ, "BMTRAIN_PROGRAM": ""}
    for command, _ in steps():
        words = [sys.executable, "-m", "bmtrain", *command.split()]
        ended = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        out[command] = ended.stderr + ended.stdout
    shown = dict(steps())
    init, _, _, _, compare, export, predict = out
    # On a terminal the first line goes when the looking has ended.
    looking, _, found = out[init].partition("\n")
    assert looking == "looking at flowers.csv…"
    assert found.split() == shown[init].split()
    assert words_of(out[export]) >= words_of(shown[export])
    assert classes_of(out[predict]) == classes_of(shown[predict]) == ["setosa", "virginica"]
    assert words_of(shown[compare].partition("metrics")[0]) <= words_of(out[compare])
    assert (tmp_path / "flowers.onnx").is_file()


def words_of(text: str) -> set[str]:
    """The words without a digit, which another machine may not change."""
    return {word for word in text.split() if word.isalpha()}


def classes_of(predictions: str) -> list[str]:
    _, _, rows = predictions.partition("example,predicted,")
    return [line.split(",")[1] for line in rows.splitlines()[1:] if line]
