"""The formats, in one visible table. No TensorFlow: each imports its libraries when it is used."""

from __future__ import annotations

from typing import Final

from bmtrain.exports import keras_file, litert, onnx_file, safetensors_file, savedmodel
from bmtrain.exports.exporter import Exporter

#: As ``--to`` names them.
FORMATS: Final[dict[str, Exporter]] = {
    "savedmodel": savedmodel.EXPORTER,
    "keras": keras_file.EXPORTER,
    "onnx": onnx_file.EXPORTER,
    "litert": litert.EXPORTER,
    "safetensors": safetensors_file.EXPORTER,
}
