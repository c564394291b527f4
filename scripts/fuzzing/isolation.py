"""The readers' process seen from outside: it may crash, hang or grow without harm."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fuzzing.files import Files, write_files
from fuzzing.judging import MAX_SECONDS, Verdict, from_line

SCRIPTS = Path(__file__).resolve().parents[1]
#: An input that takes longer than this hangs; what takes less gets its time measured.
HANG_SECONDS = 10 * MAX_SECONDS
_START_SECONDS = 120.0
_SHOWN_CHARACTERS = 4000


class Child:
    """A process that answers in lines; how it dies and what it said last are told."""

    def __init__(self, module: str, arguments: Sequence[str], words: Path) -> None:
        self._words = words
        with words.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
                bufsize=0,
            )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._received = b""

    def send(self, line: str) -> None:
        """Ask; a process that is dead already is found out when its answer is read."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            return

    def line(self, timeout_s: float) -> str | None:
        """The next line, or None: the process ended.

        Raises:
            TimeoutError: neither came in time.
        """
        assert self._process.stdout is not None
        until = time.monotonic() + timeout_s
        while b"\n" not in self._received:
            if not self._selector.select(max(0.0, until - time.monotonic())):
                raise TimeoutError
            received = self._process.stdout.read(1 << 16)
            if not received:
                return None
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def end(self) -> int:
        """Kill it unless it has ended, and give its exit status (negative: a signal)."""
        if self._process.poll() is None:
            try:
                self._process.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                self._process.kill()
        status = self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return status

    def last_words(self) -> str:
        """The end of what it wrote to stderr."""
        return self._words.read_text(errors="replace")[-_SHOWN_CHARACTERS:]


class Isolated:
    """Judges inputs of one target in a process of their own, started anew when it died."""

    def __init__(self, table: Path, target: str, scratch: Path) -> None:
        self._arguments = (str(table), target)
        self._scratch = scratch
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.restart()

    def restart(self) -> None:
        """Let the next input be read by a fresh process."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def judge(self, files: Files) -> list[Verdict]:
        """A verdict per reader; a single one where the process did not survive."""
        directory = self._scratch / "input"
        write_files(files, directory)
        is_fresh = self._child is None
        if self._child is None:
            self._child = Child("fuzzing.worker", self._arguments, self._scratch / "words.txt")
        self._child.send(str(directory))
        began = time.monotonic()
        try:
            line = self._child.line(_START_SECONDS if is_fresh else HANG_SECONDS)
        except TimeoutError:
            return [self._dead(f"took more than {HANG_SECONDS:g} s and was killed", began)]
        if line is None:
            return [self._dead("", began)]
        return from_line(line)

    def _dead(self, fault: str, began: float) -> Verdict:
        assert self._child is not None
        status = self._child.end()
        words = self._child.last_words()
        self._child = None
        fault = fault or f"ended the process: {ending(status)}"
        return Verdict("process", "crash", fault, time.monotonic() - began, 0, words)


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exit code {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
