"""One run directory, one writer: the real command, started twenty times at once."""

import json
import os
import signal
import subprocess
import sys

from bmtrain.strict_json import decode

WORDS = ("points.yaml", "training.engine=graph", "--json")


def holder_of(path):
    """The process that signed the lock, or None so far."""
    try:
        return decode((path / ".lock").read_bytes())["pid"]
    except (OSError, ValueError):
        return None


def test_of_twenty_at_once_one_trains_and_when_it_is_killed_the_next_start_goes_on(
    environment, project, tmp_path, wait_for, command
):
    path = tmp_path / "run"
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bmtrain", "train", *WORDS, "--run-dir", str(path)],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(20)
    ]
    try:
        wait_for(lambda: holder_of(path) is not None, processes[0])
        pid = holder_of(path)
        (holder,) = [process for process in processes if process.pid == pid]
        os.kill(pid, signal.SIGSTOP)  # so that it holds the lock until the last has come
        for process in processes:
            if process is not holder:
                out, _ = process.communicate(timeout=120)
                assert process.returncode == 6
                message = json.loads(out)["error"]["message"]
                assert message.startswith(f"the run directory is in use by process {pid} on ")
        assert holder.poll() is None
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    ended = command("train", *WORDS, "--run-dir", path, "--resume-if-possible")
    assert ended.exit_code == 0, ended.err
    assert ended.document["status"] == "completed"
