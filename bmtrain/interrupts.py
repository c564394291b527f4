"""Signals that end a command, put off while code runs that cannot be broken into."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """A signal takes effect when the block has ended; a second one ends the process at once.

    An exception that a handler raises in Python code which a C++ library called is lost in
    there, or comes out as another: TensorFlow calls Python while it traces and compiles.
    What is ignored stays ignored; outside the main thread nothing is put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(signal_number: int, _frame: FrameType | None) -> None:
        if came and signal_number != signal.SIGHUP:  # a closed terminal sends it twice
            os._exit(128 + signal_number)
        came.append(signal_number)

    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, note) for number in wanted}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
