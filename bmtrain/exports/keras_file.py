"""``.keras``: Keras's own file; no Lambda, nothing that ``safe_mode`` would refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports.exporter import Content, Exporter, Run


def _write(content: Content, path: Path) -> None:
    from bmtrain.models.layers.flattening import flattened  # the caller started TensorFlow

    flattened(content.keras_model).save(str(path))


def _load(path: Path) -> Run:
    import keras  # started by the caller

    model = keras.saving.load_model(str(path), safe_mode=True)

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = model(features, training=False).numpy()
        return outputs

    return run


def _runtime() -> str:
    import keras

    return f"Keras {keras.__version__}"


EXPORTER = Exporter(
    suffix=".keras",
    write=_write,
    runtime=_runtime,
    load=_load,
    usage="keras.saving.load_model({path})(inputs)",
)
