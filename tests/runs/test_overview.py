"""What a run directory says of itself at a glance, whatever its state."""

import fcntl
import os
import shutil
import subprocess
import sys

import pytest

from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.runs.directory import live_holder, open_run_directory
from bmtrain.runs.overview import may_be_run, read_overview, read_settings
from tests.small_runs import log_epochs, make_run

HOLDER = """
import sys
from pathlib import Path
from bmtrain.runs.directory import open_run_directory
with open_run_directory(Path(sys.argv[1]), expected="run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held():
    """Trains, as far as the lock can tell, in a process of its own; ends when it is told to."""
    processes = []

    def hold(path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in processes:
        process.communicate()


@pytest.mark.parametrize("status", ["completed", "interrupted", "failed", "diverged"])
def test_a_run_that_ended_says_how(tmp_path, status):
    overview = read_overview(make_run(tmp_path / "run", status=status))
    assert overview.status == status
    assert overview.held_by is None
    assert (overview.epochs, overview.parameters, overview.train_s) == (3, 7850, 1.5)
    assert overview.begun == "2026-11-23T10:15:00Z"
    assert overview.metrics == {"train": {"loss": 0.5, "accuracy": 0.8}}
    assert overview.message == (None if status == "completed" else "it broke")


@pytest.mark.parametrize(
    ("facts", "begun"),
    [
        ({"begun": "2026-11-20T08:00:00Z"}, "2026-11-20T08:00:00Z"),
        (
            {"begun": "2026-11-21T08:00:00Z", "earlier": [{"begun": "2026-11-20T08:00:00Z"}]},
            "2026-11-20T08:00:00Z",
        ),
        ({"begun": "yesterday"}, "2026-11-23T10:15:00Z"),
        ({"begun": "2026-11-20T08:00:00Z\n"}, "2026-11-23T10:15:00Z"),
        ({"begun": 7, "earlier": "x"}, "2026-11-23T10:15:00Z"),
        ({"begun": "2026-11-20T08:00:00Z", "earlier": [1]}, "2026-11-23T10:15:00Z"),
    ],
)
def test_a_run_began_when_its_record_says_or_else_its_log(tmp_path, facts, begun):
    assert read_overview(make_run(tmp_path / "run", **facts)).begun == begun


def test_a_run_that_was_killed_is_interrupted_and_has_its_logs_figures(tmp_path):
    run = make_run(tmp_path / "run", status=None)
    log_epochs(run, 3)
    overview = read_overview(run)
    assert (overview.status, overview.epochs) == ("interrupted", 3)
    assert overview.metrics == {"train": {"loss": 1 / 3, "accuracy": 0.5}}


def test_a_live_run_is_told_by_its_lock_whatever_its_summary_says(tmp_path, held):
    run = make_run(tmp_path / "run")
    log_epochs(run, 2)
    process = held(run)
    overview = read_overview(run)
    assert overview.status == "running"
    assert f"process {process.pid} " in str(overview.held_by)
    assert overview.metrics == {"train": {"loss": 1 / 2, "accuracy": 0.5}}
    process.communicate()
    assert read_overview(run).status == "completed"


def test_nobody_is_kept_out_by_who_looks(tmp_path, held):
    run = make_run(tmp_path / "run")
    held(run).communicate()
    taken = os.open(run / ".lock", os.O_RDONLY)
    try:
        assert live_holder(run) is None
        fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nothing is held any more
    finally:
        os.close(taken)


def test_the_lock_of_a_process_that_is_gone_is_not_even_touched(tmp_path, held, monkeypatch):
    run = make_run(tmp_path / "run")
    held(run).communicate()

    def fail(*_):
        raise AssertionError("it was locked")

    monkeypatch.setattr(fcntl, "flock", fail)
    assert live_holder(run) is None


def test_who_looks_at_one_time_does_not_take_the_other_for_a_run(tmp_path):
    run = make_run(tmp_path / "run")
    with open_run_directory(run, expected="run"):
        pass  # signed by this process, which lives on
    other = os.open(run / ".lock", os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert live_holder(run) is None
    finally:
        os.close(other)


def test_looking_changes_nothing(tmp_path):
    run = make_run(tmp_path / "run")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*")}
    read_overview(run)
    assert {
        path: (path.stat().st_mtime_ns, path.stat().st_size) for path in run.rglob("*")
    } == before


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("summary.json", "{", "not JSON"),
        ("summary.json", "[]", "not a document"),
        ("summary.json", '{"status": "done"}', "its status is none of a run's"),
        ("summary.json", '{"status": ["completed"]}', "its status is none of a run's"),
        ("summary.json", '{"status": "completed", "metrics": []}', "no figures by split"),
        ("summary.json", '{"status": "completed", "metrics": {"test": {"loss": "x"}}}', "no figures"),
        ("summary.json", '{"status": "completed", "metrics": {"test": 3}}', "no figures"),
        ("summary.json", '{"status": "completed", "parameters": "many"}', "'parameters' is no number"),
        ("summary.json", '{"status": "completed", "timing": {"train_s": true}}', "'train_s' is no num"),
        ("run.json", '{"a": 1, "a": 2}', "twice"),
        ("run.json", "[" * 100_000, "nested deeper"),
    ],
)  # fmt: skip
def test_a_damaged_record_is_named(tmp_path, name, content, words):
    run = make_run(tmp_path / "run")
    (run / name).write_text(content)
    with pytest.raises(CheckpointError, match=words):
        read_overview(run)


def test_a_damaged_log_of_a_run_that_did_not_complete_is_named(tmp_path):
    run = make_run(tmp_path / "run", status="interrupted")
    (run / "metrics.jsonl").write_text('{"epoch": 1}\n')
    with pytest.raises(CheckpointError, match="the last line is damaged"):
        read_overview(run)


@pytest.mark.parametrize("name", ["config.yaml", "run.json", "summary.json", "metrics.jsonl"])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path, nothing_hangs, name, kind):
    run = make_run(tmp_path / "run", status="interrupted")
    log_epochs(run, 1)
    shutil.move(run / name, tmp_path / name)
    if kind == "link":
        (run / name).symlink_to(tmp_path / name)
    elif kind == "pipe":
        os.mkfifo(run / name)
    else:
        (run / name).mkdir()
    assert may_be_run(run)
    with pytest.raises(CheckpointError, match="not a regular file"):
        read_overview(run)


def test_a_start_that_was_killed_before_its_config_is_no_run(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / "log.txt").touch()
    assert may_be_run(tmp_path)
    with pytest.raises(CheckpointError, match="no run began here"):
        read_overview(tmp_path)


def test_another_directory_is_none(tmp_path):
    (tmp_path / "log.txt").touch()
    assert not may_be_run(tmp_path)


def test_settings_are_dotted_keys_with_every_default(tmp_path):
    settings = read_settings(make_run(tmp_path / "run", "optimizer.learning_rate=1e-3"))
    assert settings["optimizer.learning_rate"] == 0.001
    assert settings["model.layers.1.units"] == 10
    assert settings["metrics"] == ["accuracy"]
    assert settings["training.early_stopping"] is None


@pytest.mark.parametrize("content", [b"\xff", b"a: [", b"- 1", b"a: 1\na: 2", b"x" * 1_100_000])
def test_a_config_that_is_none_is_named(tmp_path, content):
    run = make_run(tmp_path / "run")
    (run / "config.yaml").write_bytes(content)
    with pytest.raises(CheckpointError, match="not a config"):
        read_settings(run)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_the_environments_fault(tmp_path):
    run = make_run(tmp_path / "run")
    (run / "summary.json").chmod(0)
    with pytest.raises(EnvironmentFault, match="permission denied"):
        read_overview(run)
