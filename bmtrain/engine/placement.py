"""Where tensors live and steps run. Nothing outside this file knows how many devices there are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bmtrain.engine.compile_cache import CompileCache
from bmtrain.engine.compiled import Compiled


@dataclass(frozen=True, slots=True)
class SingleDevice:
    """Everything on one device, ``/CPU:0`` or ``/GPU:0``."""

    device: str
    cache: CompileCache | None = None

    def scope(self) -> AbstractContextManager[Any]:
        """Variables and functions made inside live on the device."""
        return tf.device(self.device)

    def put(self, array: np.ndarray[Any, Any]) -> tf.Tensor:
        """The array on the device, in its own dtype."""
        with self.scope():
            return tf.convert_to_tensor(array)

    def peak_memory_bytes(self) -> int | None:
        """The most that was allocated at once on the GPU so far; None on the processor."""
        if not self.device.startswith("/GPU"):
            return None
        return int(tf.config.experimental.get_memory_info(self.device[1:])["peak"])

    def compiled(self, function: Callable[..., Any], *, jit_compile: bool) -> Compiled:
        """The function compiled, under XLA or as a graph, at its first call."""
        return Compiled(function, jit_compile=jit_compile, cache=self.cache)


def placement_for(device: str, cache: CompileCache | None = None) -> SingleDevice:
    """Placement on "cpu" or "gpu"; ``cache`` is where XLA stores what it compiles."""
    return SingleDevice({"cpu": "/CPU:0", "gpu": "/GPU:0"}[device], cache)
