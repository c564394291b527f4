"""Signals, closed pipes, full disks: what comes from outside."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bmtrain.cli import boundary, console
from bmtrain.cli.stream import Stream
from bmtrain.errors import EnvironmentFault


def test_a_second_interrupt_while_the_first_is_told_ends_quietly(bmtrain, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(boundary, "end", interrupted)
    assert bmtrain("train", "x.yaml", scenario="data").exit_code == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_as_it_was_afterwards(bmtrain, number):
    before = signal.getsignal(number)
    bmtrain("schema", "--help")
    assert signal.getsignal(number) is before
    bmtrain("train", "x.yaml", scenario=number.name.lower())
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored(bmtrain, number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert bmtrain("train", "x.yaml", scenario=number.name.lower()).exit_code == 0
    finally:
        signal.signal(number, before)


def test_a_hang_up_while_the_first_is_told_changes_nothing(bmtrain, monkeypatch):
    real_end = boundary.end

    def hung_up_again(*arguments):
        os.kill(os.getpid(), signal.SIGHUP)
        return real_end(*arguments)

    monkeypatch.setattr(boundary, "end", hung_up_again)
    ended = bmtrain("train", "x.yaml", "--json", scenario="sighup")
    assert ended.exit_code == json.loads(ended.out)["exit_code"] == 129
    assert ended.err.endswith("hung up\n")


def test_outside_the_main_thread_signals_are_left_alone(bmtrain):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(bmtrain, "train", "x.yaml").result().exit_code == 0


def test_a_closed_stdout_does_not_change_the_exit_code(subprocess_bmtrain):
    for scenario, exit_code in (("done", 0), ("missed", 4)):
        ours, theirs = os.pipe()
        os.close(ours)
        ended = subprocess_bmtrain(scenario, "train", "x.yaml", "--json", stdout=theirs)
        os.close(theirs)
        assert (ended.returncode, ended.stderr.count("Error")) == (exit_code, 0)


def test_help_into_a_closed_pipe_is_done(subprocess_bmtrain):
    ours, theirs = os.pipe()
    os.close(ours)
    ended = subprocess_bmtrain("done", "--help", stdout=theirs)
    os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["train", "x.yaml", "--json"], ["--help"]])
def test_a_result_that_a_full_disk_swallows_is_exit_code_6(subprocess_bmtrain, arguments):
    with Path("/dev/full").open("w") as full:
        ended = subprocess_bmtrain("done", *arguments, stdout=full)
    assert ended.returncode == 6
    assert "error: the result cannot be written to stdout: No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_failure_that_cannot_be_told_on_stdout_is_exit_code_6(subprocess_bmtrain):
    with Path("/dev/full").open("w") as full:
        ended = subprocess_bmtrain("data", "train", "x.yaml", "--json", stdout=full)
    assert ended.returncode == 6


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_descriptors_closed_from_the_start_change_nothing(tmp_path, closed, subprocess_bmtrain):
    def close():
        for descriptor in closed:
            os.close(descriptor)

    ended = subprocess_bmtrain("missed", "train", "x.yaml", preexec_fn=close)
    assert ended.returncode == 4


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_signals_from_outside_end_a_run(started_bmtrain, number, exit_code):
    process = started_bmtrain("done", "train", "x.yaml", "--json", "--format=text", PAUSE_S="30")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == json.loads(out)["exit_code"] == exit_code
    assert "Traceback" not in err


def test_a_signal_during_the_first_imports_has_its_document_too(tmp_path):
    """As if it came while the screen's module is imported, before there is a screen."""
    (tmp_path / "sitecustomize.py").write_text("""\
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "bmtrain.cli.console":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
""")
    ended = subprocess.run(
        [sys.executable, "-m", "bmtrain", "train", "x.yaml", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    document = json.loads(ended.stdout)
    assert (document["status"], document["exit_code"]) == ("interrupted", 130)
    assert ended.returncode == 130
    assert "Traceback" not in ended.stderr


def test_a_signal_before_the_commands_handlers_ends_it_without_a_traceback(tmp_path):
    """As if it came while the command's own module is looked for."""
    (tmp_path / "sitecustomize.py").write_text("""\
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "bmtrain.cli.main":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
""")
    ended = subprocess.run(
        [sys.executable, "-m", "bmtrain", "runs"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == -signal.SIGINT
    assert ended.stderr == ""


def test_a_result_that_finds_no_stdout_is_exit_code_6(subprocess_bmtrain):
    ended = subprocess_bmtrain("done", "train", "x.yaml", preexec_fn=lambda: os.close(1))
    assert ended.returncode == 6
    assert "stdout: it is closed" in ended.stderr


def test_what_cannot_be_flushed_at_the_very_end_changes_no_exit_code(bmtrain, monkeypatch):
    """After a help that a full disk swallowed, its buffer may still hold it."""

    def full(self):
        if self._must_arrive and closing:
            raise EnvironmentFault("the result cannot be written to stdout")
        return real(self)

    closing, real, real_close = [], Stream.flush, console.close_screen

    def close(screen):
        closing.append(screen)
        real_close(screen)

    monkeypatch.setattr(Stream, "flush", full)
    monkeypatch.setattr(console, "close_screen", close)
    assert bmtrain("schema").exit_code == 0
    assert closing
