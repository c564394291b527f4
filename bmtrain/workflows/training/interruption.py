"""Signals, and errors of other threads, while training: acted on between two compiled calls."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from bmtrain.interrupts import SIGNALS


@dataclass(slots=True)
class Interruption:
    """The signal that came, and the first error that ended a thread; None so far."""

    signal_number: int | None = None
    thread_error: BaseException | None = None


@contextmanager
def interruptions_noted() -> Iterator[Interruption]:
    """Note the first signal instead of unwinding at once; a second one ends the process.

    SIGHUP never is the second: a closed terminal sends it, its shell does, and once more
    when that ends. Where it was noted, it is ignored from then on.
    Outside the main thread signals cannot be taken over: then none is noted. An error
    that nobody catches in a thread would only be printed: it is noted for the training
    to end by it.
    """
    interruption = Interruption()

    def note_error(ended: threading.ExceptHookArgs) -> None:
        if interruption.thread_error is None and ended.exc_type is not SystemExit:
            interruption.thread_error = ended.exc_value

    previous = threading.excepthook
    threading.excepthook = note_error
    try:
        with _signals_noted_in(interruption):
            yield interruption
    finally:
        threading.excepthook = previous


@contextmanager
def _signals_noted_in(interruption: Interruption) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
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
        yield
    finally:
        if interruption.signal_number == signal.SIGHUP:
            previous[signal.SIGHUP] = signal.SIG_IGN
        for number, handler in previous.items():
            signal.signal(number, handler)
