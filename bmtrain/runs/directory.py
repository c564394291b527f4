"""The run directory: its name, its files, and the lock that keeps one writer in it."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bmtrain import strict_json
from bmtrain.durable import (
    environment_faults,
    flush_directory,
    is_leftover,
    make_directory,
    remove_leftovers,
    require_no_file,
)
from bmtrain.errors import EnvironmentFault
from bmtrain.machine import is_alive
from bmtrain.runs.plain_entries import open_plain, require_plain

LOCK = ".lock"
CONFIG = "config.yaml"
LOG = "log.txt"
_BUSY = (errno.EWOULDBLOCK, errno.EACCES)
_MAX_LOCK_BYTES = 4096
#: Between taking the lock and signing it lie microseconds, and on a busy machine a nap.
_SIGNING_S = 1.0
_POLL_S = 0.02


#: What a directory must hold to be trained in.
Expected = Literal["empty", "run", "either"]


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """A run's directory and the places of its files."""

    path: Path

    @property
    def holds_run(self) -> bool:
        """Whether a run began here: its config is the first thing that it writes."""
        return self.config.is_file()

    @property
    def config(self) -> Path:
        """The resolved config: training it again is the same experiment."""
        return self.path / CONFIG

    @property
    def run_json(self) -> Path:
        """What ran where: versions, devices, fingerprint, durations."""
        return self.path / "run.json"

    @property
    def metrics(self) -> Path:
        """One line of figures per epoch."""
        return self.path / "metrics.jsonl"

    @property
    def summary(self) -> Path:
        """What ``train --json`` prints."""
        return self.path / "summary.json"

    @property
    def predictions(self) -> Path:
        """Directory of the per-example predictions."""
        return self.path / "predictions"

    @property
    def checkpoints(self) -> Path:
        """Directory of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def tensorboard(self) -> Path:
        """Directory of TensorBoard's event files, where they are asked for."""
        return self.path / "tensorboard"

    @property
    def mlflow(self) -> Path:
        """Which run of MLflow's is this one, where that is asked for."""
        return self.path / "mlflow.json"

    @property
    def log(self) -> Path:
        """Everything the run said, native libraries included."""
        return self.path / LOG

    def take_back(self) -> None:
        """Remove what a start wrote that trained nothing, the config last; ``log.txt`` stays."""
        with environment_faults(self.path, "clear the run directory"):
            for path in (self.predictions, self.checkpoints, self.tensorboard):
                if path.is_dir():
                    shutil.rmtree(path)
            for path in (self.run_json, self.metrics, self.summary, self.mlflow, self.config):
                path.unlink(missing_ok=True)

    def require_plain(self) -> None:
        """No link, pipe or device takes the place of a file or directory of the run's.

        Raises:
            CheckpointError: one does. EnvironmentFault: it cannot be seen.
        """
        files = (self.config, self.run_json, self.metrics, self.summary, self.mlflow, self.log)
        directories = (self.predictions, self.checkpoints, self.tensorboard)
        require_plain((self.path / LOCK, *files), directories)


def planned_run_dir(name: str, requested: Path | None = None) -> Path:
    """Where a run of the experiment ``name`` goes; nothing is made yet.

    ``requested`` if given; else ``NAME-YYYYmmdd-HHMMSS-xxxx`` (UTC, four random hex
    digits) in $BMTRAIN_RUNS, by default ``runs`` in the current directory.
    """
    if requested is not None:
        return requested
    root = Path(os.environ.get("BMTRAIN_RUNS") or "runs")
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return root / f"{name}-{now}-{secrets.token_hex(2)}"


@contextmanager
def open_run_directory(path: Path, *, expected: Expected = "empty") -> Iterator[RunDirectory]:
    """Makes the directory, or takes what is expected there, and holds its lock inside the block.

    What killed writers left half-written is removed. A directory in which a start was
    killed before it wrote its config is empty.

    Args:
        path: made if it is not there.
        expected: empty; the directory of an earlier run, to be gone on with; or either.

    Raises:
        EnvironmentFault: it is not as expected, in use (by whom is said), or not writable.
        CheckpointError: a link, a pipe or a device takes the place of one of its files.
    """
    with environment_faults(path, "make the run directory"):
        require_no_file(path)
        make_directory(path)
        # Where there is a lock file, the lock says first whether a run is in there.
        if not (path / LOCK).exists():
            _require(path, expected)
    descriptor = open_plain(path / LOCK, "lock the run directory", os.O_RDWR | os.O_CREAT)
    try:
        _lock(descriptor, path)
        RunDirectory(path).require_plain()
        with environment_faults(path, "make the run directory"):
            _require(path, expected)
            _sign(descriptor)
            flush_directory(path)  # before the log is there: a log without a lock is not ours
        run = RunDirectory(path)
        for directory in (run.path, run.predictions):
            remove_leftovers(directory)
        yield run
    finally:
        # Closing gives the lock back, as the end of the process does, however it ends. The
        # file stays: a removed one could be locked by one process and made anew by another.
        with suppress(OSError):
            os.close(descriptor)


def live_holder(path: Path) -> str | None:
    """Who trains in the directory now, asked without being in anybody's way; None: nobody.

    The lock of a process that is gone is not touched. Else a shared one is tried, for
    microseconds: others that ask take it too, and a run that begins tries again.

    Raises:
        CheckpointError: the lock is no regular file. EnvironmentFault: it cannot be read.
    """
    if not os.path.lexists(path / LOCK):
        return None
    descriptor = open_plain(path / LOCK, "look at the lock", os.O_RDONLY)
    try:
        with environment_faults(path / LOCK, "look at the lock"):
            signed = _holder(descriptor)
            return None if signed is None or _got_lock(descriptor, fcntl.LOCK_SH) else signed
    finally:
        os.close(descriptor)


def _require(path: Path, expected: Expected) -> None:
    if expected != "empty" and RunDirectory(path).holds_run:
        return
    names = {entry.name for entry in path.iterdir()}
    # The lock comes first: a log without one is somebody else's.
    ours = {LOCK, LOG} if LOCK in names else set()
    if expected == "run" or any(name not in ours and not is_leftover(name) for name in names):
        what = "the run directory is not empty" if expected == "empty" else "no run is in there"
        raise EnvironmentFault(
            what,
            where=str(path),
            hint="give another --run-dir, or remove it; nothing in it was changed",
        )


def _lock(descriptor: int, path: Path) -> None:
    deadline_s = time.monotonic() + _SIGNING_S
    with environment_faults(path, "lock the run directory"):
        while not _got_lock(descriptor):
            holder = _holder(descriptor)
            if holder is None and time.monotonic() < deadline_s:
                time.sleep(_POLL_S)
                continue
            raise EnvironmentFault(
                f"the run directory is in use by {holder or 'another process'}",
                where=str(path),
                hint="wait until it is done, or give another --run-dir",
            )


def _got_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _BUSY:
            raise
        return False
    return True


def _sign(descriptor: int) -> None:
    """Leaves in the lock file who holds it, for the next one to be told."""
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    holder = {"pid": os.getpid(), "host": os.uname().nodename, "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, strict_json.encode(holder, indent=None), 0)


def _holder(descriptor: int) -> str | None:
    """Who signed the lock; None: nobody yet, or somebody who is gone and left it to another."""
    try:
        holder = strict_json.decode(os.pread(descriptor, _MAX_LOCK_BYTES, 0))
        pid, host, since = int(holder["pid"]), str(holder["host"]), str(holder["since"])
    except (ValueError, KeyError, TypeError):
        return None
    if host == os.uname().nodename and not is_alive(pid):
        return None
    return f"process {pid} on {host[:64]!s}, since {since[:64]}"
