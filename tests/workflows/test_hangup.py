"""The terminal is closed under a training."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from bmtrain.workflows.training.interruption import interruptions_noted


@pytest.fixture
def in_a_terminal(environment, project, tmp_path):
    """Starts a long training in a terminal of its own; (process, our end of it, run directory)."""
    ours, theirs = pty.openpty()
    path = tmp_path / "run"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", TAKE_THE_TERMINAL, sys.executable, "-m", "bmtrain"),
            *("train", "points.yaml", "training.epochs=1000000", "training.engine=graph"),
            *("--run-dir", str(path)),
        ],
        cwd=project,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    yield process, ours, path
    process.kill()
    process.wait()


TAKE_THE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_closed_terminal_leaves_a_saved_state_behind(in_a_terminal, wait_for):
    process, ours, path = in_a_terminal
    metrics = path / "metrics.jsonl"
    wait_for(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, process)
    os.close(ours)
    for _ in range(3):  # so do the shell and the system
        process.send_signal(signal.SIGHUP)
        time.sleep(0.01)  # signals that wait for each other become one
    assert process.wait(60) == 129
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["status"], summary["exit_code"]) == ("interrupted", 129)
    assert summary["checkpoint"].endswith(f"step-{summary['steps_completed']:08d}")


@pytest.fixture
def sighup_as_before():
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_hang_up_is_noted_once_and_then_ignored(sighup_as_before):
    with interruptions_noted() as interruption:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        assert interruption.signal_number == signal.SIGHUP
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_hang_up_that_the_caller_has_us_ignore_is_none(sighup_as_before):
    """As under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptions_noted() as interruption:
        os.kill(os.getpid(), signal.SIGHUP)
    assert interruption.signal_number is None


def test_without_a_hang_up_nothing_changes(sighup_as_before):
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert before is not None
    with interruptions_noted():
        pass
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
