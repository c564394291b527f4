"""What Python itself sees of a stranger's run: evaluated, predicted with, explained, exported, gone on with."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import bmtrain

SCRIPT = Path(__file__).with_name("audited_commands.py")

#: Events that read, run and change nothing outside the process.
INSIDE = (
    *("object.__getattr__", "object.__setattr__", "object.__delattr__", "builtins.id"),
    *("sys._getframe", "sys._getframemodulename", "sys.unraisablehook", "gc.get_objects"),
    *("os.putenv", "os.unsetenv"),  # what TensorFlow reads, pinned at every start
)
#: Events with a path or a descriptor of what is written; they are what saving is.
SAVING = (
    *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate"),
    *("os.listdir", "os.scandir", "pathlib.Path.glob", "shutil.rmtree", "fcntl.flock"),
    "tempfile.mkdtemp",
)
#: What may be read besides the run and the data, and why.
READ = {
    "/proc/cpuinfo": "the processor's name is part of a run's record",
    "/proc/self/status": "the peak of this process's memory is part of a run's record",
    "/proc/meminfo": "sizes are compared with the memory before anything is allocated",
    "/sys/fs/cgroup/memory.max": "the memory that a container has",
    os.devnull: "where native libraries may write",
}
#: Installed packages: their versions are part of a run's record.
INSTALLED = tuple(
    {str(Path(sysconfig.get_path(name)).resolve()) for name in ("purelib", "platlib", "stdlib")}
    | {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}
    | {str(Path(bmtrain.__file__).parent)}
    | {entry for entry in sys.path if entry.endswith(".zip")}
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@pytest.fixture(scope="module")
def seen(trained, project, environment, tmp_path_factory):
    """The events of each command, and where the stranger's run is."""
    directory = tmp_path_factory.mktemp("audit").resolve()
    for name in ("own", "strange"):
        shutil.copytree(trained("graph", "training.engine=graph").path, directory / name)
    (directory / "exported").mkdir()
    answer = directory / "events.json"
    ended = subprocess.run(
        [
            sys.executable,
            SCRIPT,
            answer,
            directory / "own",
            directory / "strange",
            project / "points.csv",
        ],
        # Keras writes the weights of a .keras file into a temporary directory first.
        env=environment | {"BMTRAIN_XLA_CACHE": "0", "TMPDIR": str(directory / "exported")},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(answer.read_text()), directory / "strange"


COMMANDS = ("eval", "predict", "explain", "export", "resume")


def written_by(command, run):
    """The directory in which a command may change something; None: it may not."""
    return {
        "resume": run,
        "explain": run.parent / "explained",
        "export": run.parent / "exported",
    }.get(command)


def is_in(path, directory):
    return directory is not None and (path == str(directory) or path.startswith(f"{directory}/"))


def test_the_hook_sees_what_is_compiled_executed_and_opened(seen):
    events, _ = seen
    assert {name for name, _ in events["control"]} >= {"compile", "exec", "open"}
    assert all(events[command] for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_run_imported_or_connected_to(seen, command):
    """No exec, compile, import, subprocess, os.system, socket, ctypes …: nothing unknown at all."""
    events, _ = seen
    assert {name for name, _ in events[command]} <= {"open", *INSIDE, *SAVING}


@pytest.mark.parametrize("command", COMMANDS)
def test_only_the_run_the_data_and_what_is_installed_are_opened(seen, command, project):
    events, run = seen
    place = written_by(command, run)
    for event, (path, _mode, flags) in (e for e in events[command] if e[0] == "open"):
        if path.isdigit():
            continue  # a descriptor that was opened before
        if place is not None and path == str(run.parent) and int(flags) & os.O_DIRECTORY:
            continue  # the place's own name is flushed
        if is_in(path, place):
            continue
        if command == "export" and path == "assets" and not int(flags) & WRITING:
            continue  # Keras's temporary directory is removed, by names in an open directory
        is_written = bool(int(flags) & WRITING)
        if is_in(path, run):
            assert not is_written, (event, path)
        elif path != os.devnull:
            assert not is_written, path
            is_data = path == str(project / "points.csv")
            is_counter = command == "resume" and path.startswith("/sys/class/powercap/")
            assert is_data or is_counter or path in READ or path.startswith(INSTALLED), path


@pytest.mark.parametrize("command", COMMANDS)
def test_only_a_run_that_is_gone_on_with_is_changed_and_what_is_exported_has_its_place(
    seen, command
):
    events, run = seen
    place = written_by(command, run)
    for event, arguments in events[command]:
        if event not in SAVING:
            continue
        path = arguments[0]
        if command == "resume" and (event, path) == ("os.listdir", "/sys/class/powercap"):
            continue  # the energy that the training takes, where the machine counts it
        if path.isdigit():
            continue  # a descriptor of a file of ours
        if event in ("os.remove", "os.rmdir") and arguments[-1].isdigit():
            continue  # within a directory that is open
        if event in ("os.listdir", "os.scandir"):
            assert is_in(path, run) or is_in(path, place) or path.endswith(".zip"), (event, path)
        else:
            assert is_in(path, place), (event, arguments)
        if event == "os.rename":
            assert is_in(arguments[1], place)


def test_no_library_is_loaded(seen):
    """TensorFlow, XLA and NumPy were in memory before; what came since is not there."""
    events, _ = seen
    assert events["libraries"] == []
