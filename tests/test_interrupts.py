"""Signals that come while they are put off."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from bmtrain.interrupts import SIGNALS, signals_deferred, signals_not_lost


class Came(Exception):
    """What a handler of the test raises."""


@pytest.fixture(params=SIGNALS)
def number(request):
    """A signal whose handler raises ``Came``."""

    def raises(*_):
        raise Came

    previous = signal.signal(request.param, raises)
    yield request.param
    signal.signal(request.param, previous)


def test_a_signal_takes_effect_at_the_end_of_the_block_and_not_before(number):
    reached = []

    def work():
        os.kill(os.getpid(), number)
        reached.append("the end")

    with pytest.raises(Came), signals_deferred():
        work()
    assert reached == ["the end"]


def test_without_a_signal_handlers_are_as_they_were(number):
    handler = signal.getsignal(number)
    with signals_deferred():
        pass
    assert signal.getsignal(number) is handler


def test_what_is_ignored_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    with signals_deferred():
        os.kill(os.getpid(), number)


def test_in_another_thread_nothing_is_put_off(number):
    def work():
        with signals_deferred():
            seen.append(signal.getsignal(number))

    seen: list[object] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(number)]


def test_a_second_signal_ends_the_process_at_once():
    code = """
import os, signal
from bmtrain.interrupts import signals_deferred
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
with signals_deferred():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    print("not reached", flush=True)
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (143, "")


class Last:
    """Ends with a signal to the process: what its handler raises has nowhere to go."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_finalizer_lost_is_raised_at_the_end_of_the_block(number):
    reached = []

    def work():
        Last(number)
        reached.append("the end")

    with pytest.raises(Came), signals_not_lost():
        work()
    assert reached == ["the end"]


def test_what_is_not_lost_is_raised_where_the_signal_came(number):
    handler = signal.getsignal(number)

    def work():
        os.kill(os.getpid(), number)
        pytest.fail("went on")

    with pytest.raises(Came), signals_not_lost():
        work()
    assert signal.getsignal(number) is handler


def test_what_became_an_import_error_is_the_signal_again(number):
    def imported():
        try:
            os.kill(os.getpid(), number)
        except Came as error:
            raise ImportError("initialization failed") from error

    with pytest.raises(Came), signals_not_lost():
        imported()


def test_an_import_error_without_a_signal_stays_one(number):
    with pytest.raises(ImportError, match="missing"), signals_not_lost():
        raise ImportError("missing")


def test_a_handler_that_raises_nothing_is_called_once(number):
    came = []
    signal.signal(number, lambda signal_number, _: came.append(signal_number))
    with signals_not_lost():
        os.kill(os.getpid(), number)
    assert came == [number]
