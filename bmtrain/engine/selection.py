"""How the steps are compiled: a rule on the config's wish and the device, resolved once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import keras
import numpy as np

from bmtrain.config.sections.training import Precision
from bmtrain.engine.lowerings.table import lowerings_used
from bmtrain.engine.runtime import Runtime
from bmtrain.machine import processor_name
from bmtrain.models.masking import plain_layers
from bmtrain.version import __version__

EngineMode = Literal["xla", "graph"]
_OF_PICTURES = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """What decides the bits of a training besides its config and data; plain JSON in records."""

    mode: EngineMode
    device: str
    processor: str | None
    gpu: str | None
    threads: int
    lowerings: tuple[str, ...]
    precision: Precision
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
    requested: Literal["auto", "xla", "graph"],
    model: keras.Sequential,
    runtime: Runtime,
    precision: Precision = "float32",
) -> EngineRecord:
    """Resolve ``auto``: xla, but graph for convolutions of pictures (windows that overlap) on a processor.

    XLA's code is the faster one for all other layers, those that have a lowering with it: a step
    of an LSTM takes half the time of graph's, and some seconds more to compile, once. Of two
    convolutions of 32 and 64 filters graph (oneDNN) takes 0.8 times as long as the lowering, of 64
    and 64 0.7 times, of 8 and 16 1.2 times, and compiles in a second where XLA takes two and more.
    """
    mode: EngineMode = _best_mode(model, runtime) if requested == "auto" else requested
    return EngineRecord(
        mode=mode,
        device=runtime.device,
        processor=processor_name(),
        gpu=runtime.device_name if runtime.device == "gpu" else None,
        threads=runtime.threads,
        lowerings=lowerings_used(model, mode=mode, device=runtime.device),
        precision=precision,
        bmtrain=__version__,
        tensorflow=runtime.tensorflow_version,
        keras=runtime.keras_version,
        numpy=np.__version__,
    )


def _best_mode(model: keras.Sequential, runtime: Runtime) -> EngineMode:
    convolutions = [c for c in plain_layers(model.layers) if isinstance(c, _OF_PICTURES)]
    # Where windows do not overlap, patches say, the lowering is one product of a reshaped picture.
    overlap = any(
        size > stride
        for layer in convolutions
        for size, stride in zip(layer.kernel_size, layer.strides, strict=True)
    )
    return "graph" if overlap and runtime.device == "cpu" else "xla"
