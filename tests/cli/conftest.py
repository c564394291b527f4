"""The command line with made-up workflows, in this process or in one of its own."""

import importlib.util
import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


def _load_fake_workflows() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fake_workflows", HERE / "fake_workflows.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fake_workflows"] = module
    spec.loader.exec_module(module)
    return module


_fake = _load_fake_workflows()


@dataclass(frozen=True)
class Ended:
    exit_code: int
    out: str
    err: str


@pytest.fixture
def fake():
    """The module of made-up workflows."""
    return _fake


@pytest.fixture
def requests():
    """Per command line, what it asked of the workflows."""
    return []


@pytest.fixture
def bmtrain(monkeypatch, capfd, tmp_path, requests):
    """Runs one command line in this process, in an empty directory; returns how it ended."""
    from bmtrain.cli.main import main

    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "BMTRAIN_PROGRAM"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments, scenario="done"):
        workflows = _fake.Workflows(scenario)
        requests.append(workflows.requests)
        for name, module in workflows.modules().items():
            monkeypatch.setitem(sys.modules, name, module)
        capfd.readouterr()
        exit_code = main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Ended(exit_code, said.out, said.err)

    return run


def fake_command(scenario, *arguments):
    """The words that run a command line with made-up workflows in a process of its own."""
    return [sys.executable, str(HERE / "fake_workflows.py"), scenario, *arguments]


def environment(**settings):
    """The environment of such a process: no terminal settings but the given ones."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name
        not in {"COLUMNS", "LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "TERM", "BMTRAIN_PROGRAM"}
    }
    return {**kept, "PYTHONPATH": str(HERE.parents[1]), **settings}


@pytest.fixture
def plain_environment():
    """The environment of a process of the command line's own."""
    return environment()


@pytest.fixture
def subprocess_bmtrain(tmp_path):
    """Runs one command line in a process of its own; keywords go to ``subprocess.run``."""

    def run(scenario, *arguments, env=None, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.run(
            fake_command(scenario, *arguments),
            check=False,
            cwd=tmp_path,
            env=environment(**(env or {})),
            encoding="utf-8",
            timeout=60,
            **options,
        )

    return run


@pytest.fixture
def started_bmtrain(tmp_path):
    """Starts a training in a process of its own and waits until it said what it will do."""

    def start(scenario, *arguments, **settings):
        process = subprocess.Popen(
            [*fake_command(scenario, *arguments)],
            cwd=tmp_path,
            env=environment(PLANNED=str(tmp_path / "planned"), **settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for _ in range(600):
            if (tmp_path / "planned").exists():
                return process
            time.sleep(0.05)
        raise AssertionError("it did not start")

    return start


@pytest.fixture
def terminal(tmp_path):
    """Runs one command line with a terminal of ``columns`` as stdout and stderr; what it shows."""
    import fcntl
    import pty
    import struct
    import termios

    def run(scenario, *arguments, columns=80, **settings):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            fake_command(scenario, *arguments),
            cwd=tmp_path,
            env=environment(**{"TERM": "xterm", **settings}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = io.BytesIO()
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:
                break
            if not block:
                break
            shown.write(block)
        os.close(ours)
        return Ended(process.wait(60), shown.getvalue().decode(), "")

    return run
