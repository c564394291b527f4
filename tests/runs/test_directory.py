"""One run directory, one writer; nothing that was there is touched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.runs.directory import RunDirectory, open_run_directory, planned_run_dir


def test_the_name_holds_the_experiment_the_time_and_four_hex_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BMTRAIN_RUNS", raising=False)
    path = planned_run_dir("mnist")
    assert re.fullmatch(r"runs/mnist-\d{8}-\d{6}-[0-9a-f]{4}", str(path))


@pytest.mark.parametrize(("value", "root"), [("/data/runs", "/data/runs"), ("", "runs")])
def test_the_environment_may_name_another_root(
    monkeypatch: pytest.MonkeyPatch, value: str, root: str
) -> None:
    monkeypatch.setenv("BMTRAIN_RUNS", value)
    assert str(planned_run_dir("mnist").parent) == root


def test_a_requested_directory_is_taken_as_it_is() -> None:
    assert planned_run_dir("mnist", Path("here")) == Path("here")


def test_the_files_are_where_the_readme_says() -> None:
    run = RunDirectory(Path("r"))
    assert [
        str(path)
        for path in (
            run.config,
            run.run_json,
            run.metrics,
            run.summary,
            run.log,
            run.predictions,
            run.checkpoints,
        )
    ] == [
        *("r/config.yaml", "r/run.json", "r/metrics.jsonl", "r/summary.json", "r/log.txt"),
        *("r/predictions", "r/checkpoints"),
    ]


@pytest.mark.parametrize("exists", [False, True])
def test_an_absent_or_empty_directory_is_taken(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "a" / "b"
    if exists:
        path.mkdir(parents=True)
    with open_run_directory(path) as run:
        assert run.path == path
        assert path.is_dir()


def test_a_directory_that_is_not_empty_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with (
        pytest.raises(EnvironmentFault, match="the run directory is not empty") as caught,
        open_run_directory(tmp_path),
    ):
        pass
    assert caught.value.where == str(tmp_path)
    assert caught.value.exit_code == 6
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_finished_run_is_not_empty_and_an_unused_one_is(tmp_path: Path) -> None:
    with open_run_directory(tmp_path / "r"):
        pass
    with open_run_directory(tmp_path / "r") as run:
        run.config.touch()
    with (
        pytest.raises(EnvironmentFault, match="the run directory is not empty"),
        open_run_directory(tmp_path / "r"),
    ):
        pass


def test_an_earlier_run_is_gone_on_with_where_that_is_asked_for(tmp_path: Path) -> None:
    with open_run_directory(tmp_path / "r") as run:
        run.config.touch()
        run.predictions.mkdir()
        for directory in (run.path, run.predictions):
            (directory / ".bmtrain-0011223344556677.tmp").touch()  # a killed writer's
    with (
        open_run_directory(tmp_path / "r", expected="run") as run,
        pytest.raises(EnvironmentFault, match="in use"),
        open_run_directory(tmp_path / "r", expected="run"),
    ):
        pass
    found = sorted(path.name for path in (tmp_path / "r").rglob("*"))
    assert found == [".lock", "config.yaml", "predictions"]


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("mine")
    with (
        pytest.raises(EnvironmentFault, match="it is a file"),
        open_run_directory(tmp_path / "r"),
    ):
        pass
    assert (tmp_path / "r").read_text() == "mine"


def test_a_place_that_cannot_be_written_is_the_environments_fault() -> None:
    with (
        pytest.raises(EnvironmentFault, match="cannot make the run directory"),
        open_run_directory(Path("/proc/1/run")),
    ):
        pass


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    with open_run_directory(tmp_path / "r") as run:
        run.config.touch()  # "in use" says more than "not empty"
        with (
            pytest.raises(EnvironmentFault, match="in use by process") as caught,
            open_run_directory(tmp_path / "r"),
        ):
            pass
    expected = rf"process {os.getpid()} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.search(expected, caught.value.message)


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b'{"pid": "x"}', b'{"pid": 1}'])
def test_a_lock_file_that_says_nothing_is_no_trouble(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmtrain.runs.directory._SIGNING_S", 0.05)
    with open_run_directory(tmp_path / "r"):
        (tmp_path / "r" / ".lock").write_bytes(content)
        with (
            pytest.raises(EnvironmentFault, match="in use by another process"),
            open_run_directory(tmp_path / "r"),
        ):
            pass


def test_a_holder_that_is_about_to_sign_is_waited_for_and_named(tmp_path: Path) -> None:
    """The file still names an earlier one, which was killed."""
    with open_run_directory(tmp_path / "r"):
        lock = tmp_path / "r" / ".lock"
        signed = lock.read_bytes()
        ended = subprocess.Popen(["true"])
        ended.wait()
        lock.write_bytes(signed.replace(str(os.getpid()).encode(), str(ended.pid).encode()))
        signing = threading.Timer(0.1, lock.write_bytes, [signed])
        signing.start()
        with (
            pytest.raises(EnvironmentFault, match=f"in use by process {os.getpid()} on"),
            open_run_directory(tmp_path / "r"),
        ):
            pass
        signing.join()


def test_a_lock_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "r" / ".lock").symlink_to(tmp_path / "mine")
    with (
        pytest.raises(CheckpointError, match=r"\.lock: not a regular file; links and devices"),
        open_run_directory(tmp_path / "r"),
    ):
        pass
    assert (tmp_path / "mine").read_text() == "precious"


def test_of_twenty_at_once_exactly_one_gets_in(tmp_path: Path) -> None:
    barrier, done = threading.Barrier(20), threading.Barrier(20)
    got_in, refused = [], []

    def start(number: int) -> None:
        barrier.wait()
        try:
            with open_run_directory(tmp_path / "r"):
                got_in.append(number)
                done.wait()
        except EnvironmentFault:
            refused.append(number)
            done.wait()

    threads = [threading.Thread(target=start, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got_in), len(refused)) == (1, 19)


HOLD = """
import sys, time
from pathlib import Path
from bmtrain.runs.directory import open_run_directory
with open_run_directory(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_a_killed_holder_does_not_block_the_next(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "r")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"in\n"
        with (
            pytest.raises(EnvironmentFault, match=f"in use by process {holder.pid} on"),
            open_run_directory(tmp_path / "r"),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with open_run_directory(tmp_path / "r"):
        pass


def test_a_child_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    with open_run_directory(tmp_path / "r"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with open_run_directory(tmp_path / "r"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_file_system_without_locks_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with (
        pytest.raises(EnvironmentFault, match="does not support locks"),
        open_run_directory(tmp_path / "r"),
    ):
        pass


def test_a_file_above_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(EnvironmentFault, match=r"file is no directory") as caught,
        open_run_directory(tmp_path / "file" / "a" / "b"),
    ):
        pass
    assert "remove" not in str(caught.value.hint)
