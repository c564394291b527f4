"""safetensors: the weights by position and nothing else; how to compute is in the JSON beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json, tensor_files
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.durable import write_new_file
from bmtrain.exports.exporter import Content, Exporter, Run, of_plugins
from bmtrain.exports.numpy_forward import forward
from bmtrain.models.architecture import Architecture


def beside(path: Path) -> Path:
    """Where the description of an export is that cannot hold it."""
    return path.with_name(f"{path.name}.json")


def _write(content: Content, path: Path) -> None:
    write_new_file(path, tensor_files.encode(content.weights))


def _load(path: Path) -> Run:
    from safetensors.numpy import load_file  # the format's own reader, not ours

    tensors = load_file(str(path))
    description = strict_json.decode(beside(path).read_bytes())

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        return forward(description, tensors, features)

    return run


def _runtime() -> str:
    import safetensors

    return f"safetensors {safetensors.__version__}, NumPy {np.__version__}"


def _objection(architecture: Architecture, facts: DataFacts) -> str | None:
    """Without a computation in NumPy nothing would be compared, and nothing says what it computes."""
    return of_plugins(architecture, "the file beside the weights cannot say what it computes")


EXPORTER = Exporter(
    suffix=".safetensors",
    objection=_objection,
    write=_write,
    runtime=_runtime,
    load=_load,
    usage="safetensors.numpy.load_file({path})",
)
