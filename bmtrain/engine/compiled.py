"""Functions compiled by TensorFlow, which do without the cache where the cache fails them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bmtrain.engine.compile_cache import CompileCache
from bmtrain.errors import EnvironmentFault
from bmtrain.interrupts import signals_deferred


class Compiled:
    """``function``, compiled in its first call.

    XLA fails a call whose compiled code it cannot store or read (a disk that fills up
    meanwhile, say). Nothing of the function has run then: it is compiled again, elsewhere.

    Raises:
        EnvironmentFault: from the first call: there is no place for the compiled code.
    """

    def __init__(
        self, function: Callable[..., Any], *, jit_compile: bool, cache: CompileCache | None
    ) -> None:
        self._function = function
        self._jit_compile = jit_compile
        self._cache = cache if jit_compile else None
        self._compiled = self._compile()
        self._has_run = False

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        if self._has_run:
            return self._compiled(*arguments)
        with signals_deferred():
            result = self._first_call(*arguments)
        self._has_run = True
        return result

    def _first_call(self, *arguments: Any) -> Any:
        try:
            return self._compiled(*arguments)
        except tf.errors.OpError as error:
            if self._cache is None or not _is_of_the_cache(error, self._cache):
                raise
            self._do_without(self._cache, error)
            return self._compiled(*arguments)

    def _do_without(self, cache: CompileCache, error: tf.errors.OpError) -> None:
        reason = error.message.splitlines()[0] if error.message else type(error).__name__
        if not cache.move_elsewhere(reason):
            raise EnvironmentFault(
                f"the compiled steps cannot be stored: {reason}",
                hint="free some space, or go without the compilation cache: BMTRAIN_XLA_CACHE=0",
            ) from error
        # A function remembers that its compiled code could not be read.
        self._compiled = self._compile()

    def _compile(self) -> Any:
        return tf.function(self._function, jit_compile=self._jit_compile, autograph=False)


def _is_of_the_cache(error: tf.errors.OpError, cache: CompileCache) -> bool:
    """What is read is not named; but there is nothing else that a first call reads."""
    unread = (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError, tf.errors.DataLossError)
    return str(cache.private) in (error.message or "") or isinstance(error, unread)
