"""A run directory may be a stranger's: what is used of it is files and directories of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bmtrain.errors import CheckpointError
from bmtrain.runs.directory import open_run_directory

FILES = (".lock", "config.yaml", "run.json", "metrics.jsonl", "summary.json", "log.txt")


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("kind", ["link", "link to nothing", "pipe", "directory"])
@pytest.mark.parametrize("name", FILES)
def test_what_takes_the_place_of_a_runs_file_is_refused_and_left_alone(
    tmp_path: Path, name: str, kind: str
) -> None:
    run, mine = tmp_path / "r", tmp_path / "mine"
    run.mkdir()
    (run / ".lock").touch()
    (run / "config.yaml").touch()
    (run / name).unlink(missing_ok=True)
    if kind == "link":
        mine.write_text("precious")
    if kind.startswith("link"):
        (run / name).symlink_to(mine)
    elif kind == "pipe":
        os.mkfifo(run / name)
    else:
        (run / name).mkdir()
    with (
        pytest.raises(CheckpointError, match="not a regular file; links and devices") as caught,
        open_run_directory(run, expected="either"),
    ):
        pass
    assert caught.value.where == str(run / name)
    assert (mine.read_text() == "precious") if kind == "link" else not mine.exists()


@pytest.mark.parametrize("name", ["checkpoints", "predictions"])
def test_a_runs_directories_are_no_links(tmp_path: Path, name: str) -> None:
    """What is in there is written over and removed: it must not be somebody else's."""
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "config.yaml").touch()
    (tmp_path / "treasure").mkdir()
    (tmp_path / "treasure" / ".bmtrain-00.tmp").touch()
    (tmp_path / "r" / name).symlink_to(tmp_path / "treasure")
    with (
        pytest.raises(CheckpointError, match=f"{name}: not a directory; links are refused"),
        open_run_directory(tmp_path / "r", expected="run"),
    ):
        pass
    assert (tmp_path / "treasure" / ".bmtrain-00.tmp").exists()
