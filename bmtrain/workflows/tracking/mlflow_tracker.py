"""MLflow, told of a training through a process of its own, which nothing here ever waits for.

MLflow's client takes seconds and hundreds of megabytes to import, and a server may be slow,
hang or be away. So it lives in another process (``mlflow_service``), to which lines of JSON
are written as far as the pipe takes them; the training's own process imports nothing of it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from bmtrain.runs.environment import read_json, write_json
from bmtrain.workflows.tracking.mlflow_run import (
    RECORD_VERSION,
    address,
    masked,
    parameters,
    recorded_run_id,
    run_name,
    tags,
)
from bmtrain.workflows.tracking.tracker import Outcome, TrackedRun

#: -P: a file of the current directory is never taken for a package.
COMMAND: Final = (sys.executable, "-P", "-m", "bmtrain.workflows.tracking.mlflow_service")
#: How long the end of a training waits for an answer after the last one.
PATIENCE_S = 60.0
#: The same where the training was ended: the other process goes on by itself.
ENDED_PATIENCE_S = 2.0
_MAX_PENDING_BYTES: Final = 64 * 2**20
_STATUSES: Final = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
#: What MLflow would do of itself: report its use, wait for minutes, draw on the screen.
_ENVIRONMENT: Final = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
#: Those that go on by themselves; nobody waits for them.
_LEFT: Final[list[subprocess.Popen[bytes]]] = []
_DEFAULTS: Final = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}


class MlflowTracker:
    """A run of MLflow's; the one that the run directory recorded, where it is gone on with.

    Each method raises OSError once something went wrong; what was not taken then is lost.
    """

    def __init__(self, run: TrackedRun) -> None:
        section = run.experiment.track.mlflow
        assert section is not None
        self._wants_checkpoint = section.checkpoint
        self._directory = run.directory
        self._uri = address(section)
        self._pending = bytearray()
        self._heard = bytearray()
        self._ended = False
        self._process = subprocess.Popen(  # noqa: S603  # this program itself
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_DEFAULTS | os.environ | _ENVIRONMENT,
            start_new_session=True,  # Ctrl-C is the training's: this tells how it ended
        )
        for pipe in (self._commands, self._answers):
            os.set_blocking(pipe.fileno(), False)
        self._send(
            begin={
                "uri": self._uri,
                "experiment": section.experiment or run.experiment.name,
                "name": run_name(run.directory.path.absolute()),
                "run_id": recorded_run_id(read_json(run.directory.mlflow), self._uri),
                "params": parameters(run.experiment),
                "tags": tags(run),
            }
        )
        self._send(artifact={"path": str(run.directory.config.absolute()), "directory": None})

    @property
    def _commands(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _answers(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Hand figures on; what is not finite as MLflow takes it."""
        time_ms = time.time_ns() // 1_000_000
        self._send(metrics={"step": step, "time_ms": time_ms, "figures": dict(figures)})
        self.listen()

    def listen(self) -> None:
        """Write what the pipe takes, read what there is."""
        self._write()
        self._read()

    def close(self, outcome: Outcome) -> None:
        """Say how it ended, and wait for the answer, as long as answers come."""
        if outcome.summary is not None:
            for path, directory in self._files(outcome.summary):
                self._send(artifact={"path": str(path), "directory": directory})
        self._send(end={"status": _STATUSES[outcome.status], "tags": _ending_tags(outcome)})
        is_finished = outcome.status == "finished"
        try:
            self._wait(PATIENCE_S if is_finished else ENDED_PATIENCE_S, must_end=is_finished)
        finally:
            self._close_pipes()

    def _files(self, summary: Mapping[str, Any]) -> list[tuple[Path, str | None]]:
        files: list[tuple[Path, str | None]] = [(self._directory.summary.absolute(), None)]
        if self._wants_checkpoint and summary["evaluated_checkpoint"] is not None:
            checkpoint = Path(summary["evaluated_checkpoint"]).absolute()
            files += [(path, "checkpoint") for path in sorted(checkpoint.iterdir())]
        return files

    def _wait(self, patience_s: float, *, must_end: bool) -> None:
        deadline_s = time.monotonic() + patience_s
        while not self._ended:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                if must_end:
                    raise self._given_up(f"no answer for {patience_s:.0f} s")
                _LEFT.append(self._process)
                return
            writing = [self._commands] if self._pending else []
            readable, writable, _ = select.select([self._answers], writing, [], left_s)
            if writable:
                self._write()
            if readable and self._read():
                deadline_s = time.monotonic() + patience_s
        self._process.kill()  # all is done that was asked for
        self._process.wait()

    def _send(self, **command: Any) -> None:
        if len(self._pending) > _MAX_PENDING_BYTES:
            raise self._given_up("it does not keep up with the training")
        self._pending += json.dumps(command).encode("ascii") + b"\n"
        self._write()

    def _write(self) -> None:
        try:
            while self._pending:
                del self._pending[: os.write(self._commands.fileno(), self._pending[: 2**16])]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._pending.clear()  # what it died of is among its answers

    def _read(self) -> bool:
        """Take in all answers that are there; whether any were."""
        heard = False
        with suppress(BlockingIOError):
            while chunk := os.read(self._answers.fileno(), 2**16):
                heard = True
                self._heard += chunk
            if not self._ended:
                self._take_lines()
            if not self._ended:
                code = self._exit_code()
                how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
                raise self._given_up(f"the process that talks to MLflow is gone ({how})")
        self._take_lines()
        return heard

    def _take_lines(self) -> None:
        *lines, rest = bytes(self._heard).split(b"\n")
        self._heard = bytearray(rest)
        for line in lines:
            self._take(json.loads(line))

    def _take(self, answer: dict[str, Any]) -> None:
        if (begun := answer.get("begun")) is not None:
            record = {"schema_version": RECORD_VERSION, "uri": masked(self._uri), **begun}
            write_json(self._directory.mlflow, record)
        if (reason := answer.get("failed")) is not None:
            raise self._given_up(masked(reason))
        self._ended = self._ended or "ended" in answer

    def _exit_code(self) -> int:
        """Its end of the pipe is closed: it is ending, or is made to."""
        try:
            return self._process.wait(ENDED_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _given_up(self, reason: str) -> OSError:
        self._process.kill()
        self._process.wait()
        self._close_pipes()
        return OSError(reason)

    def _close_pipes(self) -> None:
        for pipe in (self._commands, self._answers):
            with suppress(OSError):
                pipe.close()


def _ending_tags(outcome: Outcome) -> dict[str, str]:
    if outcome.summary is None:
        return {"bmtrain.status": outcome.status}
    summary = outcome.summary
    told = {"bmtrain.status": summary["status"], "bmtrain.exit_code": str(summary["exit_code"])}
    if (evaluated := summary.get("evaluated")) is not None:
        told["bmtrain.evaluated"] = f"{evaluated['which']}, epoch {evaluated['epoch']}"
    return told
