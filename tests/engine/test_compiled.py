"""A signal while TensorFlow traces and compiles."""

import os
import signal

import pytest
import tensorflow as tf

from bmtrain.engine.compiled import Compiled


class Came(Exception):
    """What the handler of the test raises."""


def test_a_signal_during_the_first_call_is_heard_after_it_and_the_call_is_whole(monkeypatch):
    """Raised inside, it comes out of C++ as an error that nobody knows, or is lost."""

    def raises(*_):
        raise Came

    previous = signal.signal(signal.SIGINT, raises)
    traces = []

    def function(x: tf.Tensor) -> tf.Tensor:
        os.kill(os.getpid(), signal.SIGINT)
        traces.append("to its end")
        return x + 1

    compiled = Compiled(function, jit_compile=False, cache=None)
    try:
        with pytest.raises(Came):
            compiled(tf.constant(1))
    finally:
        signal.signal(signal.SIGINT, previous)
    assert traces == ["to its end"]
    assert int(compiled(tf.constant(2))) == 3
    assert len(traces) == 1
