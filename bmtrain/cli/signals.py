"""SIGHUP, SIGINT and SIGTERM unwind the command, from its first import to its last line."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bmtrain.interrupts import SIGNALS


class Signalled(KeyboardInterrupt):
    """A signal came, before or after a run has its own way of taking it.

    A class of its own also because of CPython: a plain KeyboardInterrupt that leaves an
    ``exec`` (a dataclass being made, say) has the interpreter end itself by SIGINT at
    exit, even if it was caught and the exit code is another.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal_number = signal_number


@contextmanager
def signals_raise(*, to_the_end: bool = False) -> Iterator[None]:
    """Inside, the signals raise :class:`Signalled`, unless whoever started us ignores them.

    ``to_the_end``: what is ignored in the end stays so, for the process ends then: a closed
    terminal's second SIGHUP must not have it end otherwise.

    Outside the main thread, and where somebody else handles a signal, it is left alone.
    """
    previous = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                previous[number] = signal.signal(number, _raise)
    except ValueError:  # not the main thread
        pass
    try:
        yield
    finally:
        for number, handler in previous.items():
            if not to_the_end or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


def _raise(signal_number: int, _frame: FrameType | None) -> None:
    if signal_number == signal.SIGHUP:
        # A closed terminal sends it, its shell does, and once more when that ends: the
        # others must not break into the ending that the first one began.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise Signalled(signal_number)
