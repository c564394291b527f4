"""ONNX: one ``.onnx`` file for ONNX Runtime and whatever else reads it; needs the extra `export`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.durable import write_new_file
from bmtrain.errors import EnvironmentFault
from bmtrain.exports.description import INPUTS, NAME, OUTPUTS
from bmtrain.exports.exporter import Content, Exporter, Run, of_plugins, too_large
from bmtrain.models.architecture import Architecture
from bmtrain.program import pip

#: The extra `export` of pyproject.toml. The distribution itself may come from no index.
PACKAGES = ("onnx>=1.20,<2", "onnxruntime>=1.23,<2")


def _onnx_runtime() -> Any:
    """It counts its users, in their home directory, unless it is told before its import not to."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    return onnxruntime


def _require() -> None:
    try:
        import onnx  # noqa: F401  # the question is whether it can be

        _onnx_runtime()
    except ImportError as error:
        raise EnvironmentFault(
            f"export --to onnx needs packages that are not installed here ({error.name or error})",
            hint=pip("install", *PACKAGES),
        ) from error


def _objection(architecture: Architecture, facts: DataFacts) -> str | None:
    why = "ONNX's operations are written for the built-in layers alone"
    if (objection := of_plugins(architecture, why)) is not None:
        return objection
    for position, layer in enumerate(architecture.layers):
        if layer.forgets_mask:
            return (
                f"layer {position} ({layer.config.type}) takes padding for values, and behind the "
                "end of a sequence ONNX's have others than Keras's: train with mask_zero: false"
            )
    return too_large(architecture, "an .onnx file")


def _write(content: Content, path: Path) -> None:
    import onnx

    from bmtrain.exports.onnx_graph import onnx_model

    model = onnx_model(content)
    metadata = {
        NAME: json.dumps(content.description, allow_nan=False),
        "class_names": json.dumps(content.facts.class_names),
    }
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    write_new_file(path, model.SerializeToString())


def _load(path: Path) -> Run:
    session = _onnx_runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = session.run([OUTPUTS], {INPUTS: features})[0]
        return outputs

    return run


def _runtime() -> str:
    return f"ONNX Runtime {_onnx_runtime().__version__}"


EXPORTER = Exporter(
    suffix=".onnx",
    holds_description=True,
    require=_require,
    objection=_objection,
    write=_write,
    runtime=_runtime,
    load=_load,
    usage='onnxruntime.InferenceSession({path}).run(None, {{"inputs": inputs}})',
)
