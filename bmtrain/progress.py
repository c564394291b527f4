"""How far something is that takes long below the workflows: told to whoever asked to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: What is done, how many of how many; called often.
Listener = Callable[[str, int, int], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def progress_told_to(listener: Listener) -> Iterator[None]:
    """``listener`` hears of all progress within the block, in this thread."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell_progress(what: str, done: int, total: int) -> None:
    """``done`` of ``total`` ``what`` ("pictures") are read."""
    listener = _LISTENER.get()
    if listener is not None:
        listener(what, done, total)
