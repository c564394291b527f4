"""Targets with bugs in them, for the tests of scripts/fuzz."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from hypothesis import strategies as st

from bmtrain.errors import BmtrainError, DataError
from fuzzing.files import Files
from fuzzing.targets import Target


def _parse(content: bytes) -> None:
    """Two bytes, the first of which says something about the second."""
    if len(content) < 2:
        raise DataError("too short", where="input")
    if content[0] > 200:
        {}[content[1]]  # type: ignore[index]  # that is the bug


def _die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _sleep() -> None:
    time.sleep(1.5)


def _grow() -> None:
    bytearray(b"x") * 150_000_000


def _warn() -> None:
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)


def _babble() -> None:
    raise DataError("x" * 10_000)


def _give_up() -> None:
    raise BmtrainError("no ending of a command")


def _reads(read: Callable[[bytes], None]) -> Callable[[Path], None]:
    return lambda directory: read((directory / "input.bin").read_bytes())


def _does(bug: Callable[[], None]) -> Callable[[Path], None]:
    """Nothing to the process's first input; the bug where the input says so."""
    return _reads(lambda content: bug() if content == b"bug" else None)


def _good() -> Sequence[Files]:
    return [{"input.bin": b"ok"}]


def _bad() -> Sequence[Files]:
    return [{"input.bin": b"ok"}] * 3 + [{"input.bin": b"bug"}]


def _inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    return st.binary(max_size=40).map(lambda content: {"input.bin": content})


def _planted(bug: Callable[[], None]) -> Target:
    return Target("input.bin", _bad, _inputs, {"read": _does(bug)})


TARGETS = {
    "parses": Target("input.bin", _good, _inputs, {"read": _reads(_parse)}),
    "dies": _planted(_die),
    "sleeps": _planted(_sleep),
    "grows": _planted(_grow),
    "warns": _planted(_warn),
    "babbles": _planted(_babble),
    "gives_up": _planted(_give_up),
}
