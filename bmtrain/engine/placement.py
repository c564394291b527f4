"""Where tensors live and steps run. Nothing outside this file knows how many devices there are."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass(frozen=True, slots=True)
class SingleDevice:
    """Everything on one device, ``/CPU:0`` or ``/GPU:0``."""

    device: str

    def scope(self) -> AbstractContextManager[Any]:
        """Variables and functions made inside live on the device."""
        return tf.device(self.device)

    def put(self, array: np.ndarray[Any, Any]) -> tf.Tensor:
        """The array on the device, in its own dtype."""
        with self.scope():
            return tf.convert_to_tensor(array)


def placement_for(device: str) -> SingleDevice:
    """Placement on "cpu" or "gpu"."""
    return SingleDevice({"cpu": "/CPU:0", "gpu": "/GPU:0"}[device])
