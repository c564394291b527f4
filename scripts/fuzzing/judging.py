"""One input, one reader, one verdict: a result or one of our errors, quickly and in little memory."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bmtrain.errors import BmtrainError

#: Reads what a target's files are about; the argument is the directory that they are in.
Reader = Callable[[Path], object]

#: Per input; more where the processors are busy with something else.
MAX_SECONDS = float(os.environ.get("BMTRAIN_FUZZ_INPUT_SECONDS", "1"))
MAX_GROWTH_BYTES = 100_000_000
#: Of an error's words, place and hint: a long path and a screenful.
MAX_MESSAGE_CHARACTERS = 5000

#: How a fault begins that somebody else may have made.
KILLED = "ended the process: SIGKILL"

_QUOTED = re.compile(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S*/\S*|[-+]?\d[\d,.:x]*(e[-+]?\d+)?"""
)
_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_SCHEDULED = Path("/proc/thread-self/schedstat")
_UNITS_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one input.

    Attributes:
        reader: which of the target's readers it was.
        outcome: ``valid``, or the error's class and words without what varies in them.
        fault: what should not have happened, in words that are the same for the same
            fault; None: all is well.
        seconds: by the clock, less those in which other processes had the processor.
        growth_bytes: resident memory at its highest, over what the process had at its start.
        details: a traceback, or "".
    """

    reader: str
    outcome: str
    fault: str | None
    seconds: float
    growth_bytes: int
    details: str = ""

    @property
    def may_be_anothers(self) -> bool:
        """Whether the fault is one of time or memory, which other processes can disturb.

        Who ends a process by SIGKILL is another one, or the system that is out of memory.
        """
        return self.fault is not None and self.fault.startswith(("took ", KILLED))


class Judge:
    """Runs readers in this process and measures them.

    Warnings are errors here, and so is what was raised where nobody could catch it.
    """

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._unraisable: list[str] = []
        warnings.simplefilter("error")
        sys.unraisablehook = self._note
        self._start_bytes = peak_bytes()

    def _note(self, raised: Any) -> None:
        self._unraisable.append(f"{type(raised.exc_value).__name__}: {raised.exc_value}")

    def start_counting(self) -> None:
        """What the process holds now is its start."""
        gc.collect()
        gc.freeze()  # what is there stays, and need not be looked through each time
        reset_peak()
        self._start_bytes = peak_bytes()

    def judge(self, directory: Path) -> list[Verdict]:
        """A verdict per reader."""
        return [self._judge(name, reader, directory) for name, reader in self._readers.items()]

    def _judge(self, name: str, reader: Reader, directory: Path) -> Verdict:
        self._unraisable.clear()
        gc.collect()  # what the last input left in cycles is not this one's
        reset_peak()
        began = time.perf_counter() - waited_seconds()
        error, fault, details = _read(reader, directory)
        seconds = time.perf_counter() - waited_seconds() - began
        growth = max(0, peak_bytes() - self._start_bytes)
        verdict = Verdict(name, outcome_class(error), fault, seconds, growth, details)
        if fault is None and self._unraisable:
            verdict = replace(verdict, fault=f"raised where nobody catches: {self._unraisable[0]}")
        elif fault is None and seconds > MAX_SECONDS:
            verdict = replace(verdict, fault=f"took more than {MAX_SECONDS:g} s")
        elif fault is None and growth > MAX_GROWTH_BYTES:
            verdict = replace(verdict, fault=f"took more than {MAX_GROWTH_BYTES // 10**6} MB")
        return verdict


def _read(reader: Reader, directory: Path) -> tuple[BaseException | None, str | None, str]:
    """What was raised, the fault, details of it."""
    try:
        reader(directory)
    except BmtrainError as error:
        return error, *_telling(error)
    except BaseException as error:  # Rust's panics are no Exceptions
        if isinstance(error, KeyboardInterrupt):
            raise
        return error, _signature(error), "".join(traceback.format_exception(error))
    return None, None, ""


def _telling(error: BmtrainError) -> tuple[str | None, str]:
    """Whether the command line can tell the error, as a screen and as JSON: (fault, details)."""
    from bmtrain.cli.boundary import end
    from bmtrain.cli.console import Screen
    from bmtrain.cli.stream import Stream

    out, err = io.StringIO(), io.StringIO()
    screen = Screen(Stream(out, must_arrive=True), Stream(err))
    screen.format = "json"
    try:
        code = end(error, screen)
        json.loads(out.getvalue())
        err.getvalue().encode()
    except Exception as failure:  # noqa: BLE001  # any of them would be a traceback
        text = "".join(traceback.format_exception(failure))
        return f"cannot be told: {_signature(failure)}", text
    fault = None
    if code == 1 or code != error.exit_code:
        fault = f"ends with exit code {code}"
    elif len(str(error)) > MAX_MESSAGE_CHARACTERS:
        fault = f"says more than {MAX_MESSAGE_CHARACTERS} characters"
    return fault, "".join(traceback.format_exception(error)) if fault else ""


def outcome_class(error: BaseException | None) -> str:
    """``valid``, or the error's class and words, without the names and numbers in them."""
    if error is None:
        return "valid"
    if not isinstance(error, BmtrainError):
        return type(error).__name__
    texts = [finding.message for finding in error.diagnostics] or [error.message]
    words = sorted({_QUOTED.sub("_", text[:200])[:100] for text in texts})
    return f"{type(error).__name__}: {' | '.join(words[:3])}"


def _signature(error: BaseException) -> str:
    """The exception's class and the innermost line of bmtrain that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "bmtrain" in Path(frame.filename).parts] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
    return f"{type(error).__name__} at {place}"


def waited_seconds() -> float:
    """For how long this thread could have run and another one did; 0 where that is not told."""
    try:
        return int(_SCHEDULED.read_text().split()[1]) / 1e9
    except (OSError, LookupError):
        return 0.0


def reset_peak() -> None:
    """Let the peak of this process's memory begin anew; without /proc it goes on from before."""
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return


def peak_bytes() -> int:
    """The most resident memory since the last reset."""
    try:
        status = _STATUS.read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNITS_OF_MAXRSS
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024


def to_line(verdicts: list[Verdict]) -> str:
    """Verdicts as one line for the process that asked."""
    return json.dumps([asdict(verdict) for verdict in verdicts])


def from_line(line: str) -> list[Verdict]:
    """And back."""
    return [Verdict(**fields) for fields in json.loads(line)]
