"""Signals that end a command, where code runs that cannot be broken into, or loses exceptions."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

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


@contextmanager
def signals_not_lost() -> Iterator[None]:
    """What a signal's handler raises ends the block, at its end at the latest.

    Python drops an exception that is raised in a finalizer or in a weak reference's
    callback, and an import runs thousands of these: the command would go on as if nobody
    had pressed Ctrl-C. A compiled module that was being imported makes an ImportError of it,
    which would look like an installation that is broken. Outside the main thread nothing is
    changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[BaseException] = []

    handlers = {int(number): signal.getsignal(number) for number in SIGNALS}
    previous = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number, handler in previous.items():
        signal.signal(number, _noting(handler, raised))
    try:
        yield
    except Exception:
        if not raised:  # else it was made of what the handler raised, which is raised below
            raise
    finally:
        for number, handler in previous.items():
            if signal.getsignal(number) is not signal.SIG_IGN:  # a handler may have said so
                signal.signal(number, handler)
    if raised:
        raise raised[0]


def _noting(
    handler: Callable[[int, FrameType | None], Any], raised: list[BaseException]
) -> Callable[[int, FrameType | None], Any]:
    """The handler, whose exceptions are added to ``raised``, too."""

    def note(signal_number: int, frame: FrameType | None) -> None:
        try:
            handler(signal_number, frame)
        except BaseException as error:
            raised.append(error)
            raise

    return note
