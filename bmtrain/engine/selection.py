"""How the steps are compiled: a rule on the config's wish and the device, resolved once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import keras
import numpy as np

from bmtrain.engine.lowerings import lowerings_used
from bmtrain.engine.runtime import Runtime
from bmtrain.machine import processor_name
from bmtrain.version import __version__

EngineMode = Literal["xla", "graph"]


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """What decides the bits of a training besides its config and data; plain JSON in records."""

    mode: EngineMode
    device: str
    processor: str | None
    gpu: str | None
    threads: int
    lowerings: tuple[str, ...]
    bmtrain: str
    tensorflow: str
    keras: str
    numpy: str

    def as_json(self) -> dict[str, Any]:
        """For run.json and the checkpoint's manifest."""
        return {
            **asdict(self),
            "lowerings": list(self.lowerings),
        }


def select_engine(
    requested: Literal["auto", "xla", "graph"], model: keras.Sequential, runtime: Runtime
) -> EngineRecord:
    """Resolve ``auto``: xla, since every layer there is compiles well under it.

    The layers that do not (dropout as Keras draws it, convolution) have a lowering; a layer
    type without one that XLA is slow at would be the exception to name here. A step of an
    LSTM takes half the time of graph's on a processor, and some seconds more to compile, once.
    """
    return EngineRecord(
        mode="xla" if requested == "auto" else requested,
        device=runtime.device,
        processor=processor_name(),
        gpu=runtime.device_name if runtime.device == "gpu" else None,
        threads=runtime.threads,
        lowerings=lowerings_used(model),
        bmtrain=__version__,
        tensorflow=runtime.tensorflow_version,
        keras=runtime.keras_version,
        numpy=np.__version__,
    )
