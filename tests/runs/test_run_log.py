"""log.txt: each line under its time, at once on the disk's side of Python's buffer."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.runs.run_log import RunLog


def test_each_line_has_its_utc_time_and_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("what a library said\n")
    with RunLog(path) as log:
        log.write("grün \ud800")
        lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "what a library said"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ grün \\ud800", lines[1])


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_or_a_pipe_is_no_log(tmp_path: Path, kind: str) -> None:
    if kind == "link":
        (tmp_path / "log.txt").symlink_to(tmp_path / "mine")
    else:
        os.mkfifo(tmp_path / "log.txt")
    with pytest.raises(CheckpointError, match="links and devices are refused"):
        RunLog(tmp_path / "log.txt")
    assert not (tmp_path / "mine").exists()


def test_a_log_that_cannot_be_opened_or_written_is_the_environments_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EnvironmentFault, match="cannot open the log"):
        RunLog(tmp_path / "absent" / "log.txt")
    if Path("/dev/full").exists():
        full = os.open("/dev/full", os.O_WRONLY)
        monkeypatch.setattr("bmtrain.runs.run_log.open_plain", lambda *_: full)
        log = RunLog(tmp_path / "log.txt")
        with pytest.raises(EnvironmentFault, match="cannot write the log: the disk is full"):
            log.write("a line")
        log.__exit__(None, None, None)  # nothing waits in a buffer to fail once more


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "log.txt").symlink_to(tmp_path / "mine")
    with pytest.raises(CheckpointError, match="links and devices are refused"):
        RunLog(tmp_path / "log.txt")
    assert (tmp_path / "mine").read_text() == "precious"
