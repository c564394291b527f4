"""SIGHUP, SIGINT and SIGTERM while training: noted, and acted on between two compiled calls."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Interruption:
    """The signal that came, or None so far."""

    signal_number: int | None = None


@contextmanager
def signals_noted() -> Iterator[Interruption]:
    """Note the first signal instead of unwinding at once; a second one ends the process.

    SIGHUP never is the second: a closed terminal sends it, its shell does, and once more
    when that ends. Where it was noted, it is ignored from then on.
    Outside the main thread signals cannot be taken over: then nothing is noted.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return

    def note(signal_number: int, _frame: FrameType | None) -> None:
        if interruption.signal_number is not None:
            if signal_number == signal.SIGHUP:
                return
            os._exit(128 + signal_number)  # at once: not even a hanging save may hold it up
        interruption.signal_number = signal_number

    # What the caller had us ignore (nohup, a script's background job) stays ignored.
    wanted = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    previous = {number: signal.signal(number, note) for number in wanted}
    try:
        yield interruption
    finally:
        if interruption.signal_number == signal.SIGHUP:
            previous[signal.SIGHUP] = signal.SIG_IGN
        for number, handler in previous.items():
            signal.signal(number, handler)
