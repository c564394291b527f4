"""``.keras``: Keras's own file; no Lambda, nothing that ``safe_mode`` would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.plugin_faults import MODULE_PREFIX
from bmtrain.errors import PluginError, UsageError
from bmtrain.exports.exporter import Content, Exporter, Run


def _write(content: Content, path: Path) -> None:
    from bmtrain.models.layers.flattening import flattened  # the caller started TensorFlow

    flattened(content.keras_model).save(str(path))


def _require_registered(model: Any) -> None:
    """Keras finds the class of a plugin's layer by the name under which it is registered."""
    import keras

    from bmtrain.models.layers.plugin_layers import planned_of
    from bmtrain.models.masking import plain_layers

    for layer in plain_layers(model.layers):
        planned = planned_of(layer)
        name = type(layer).__name__
        if planned is not None and keras.saving.get_registered_name(type(layer)) == name:
            raise UsageError(
                f"--to keras: {name}, the class of {planned.config.type}, is not registered",
                hint="decorate it with @keras.saving.register_keras_serializable(), and give it "
                "get_config",
            )


def _load(path: Path) -> Run:
    import keras  # started by the caller

    try:
        model = keras.saving.load_model(str(path), safe_mode=True)
    except (TypeError, ValueError, NotImplementedError) as error:
        if not _has_plugins():
            raise
        said = next(iter(str(error).splitlines()), "")
        raise PluginError(
            f"Keras wrote a .keras file and cannot read it: {said[:300]}",
            hint="get_config of a plugin's layer gives the arguments of its __init__",
        ) from error

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        outputs: NDArray[np.float32] = model(features, training=False).numpy()
        return outputs

    return run


def _has_plugins() -> bool:
    import keras

    modules = (made.__module__ for made in keras.saving.get_custom_objects().values())
    return any(str(module).startswith(MODULE_PREFIX) for module in modules)


def _runtime() -> str:
    import keras

    return f"Keras {keras.__version__}"


EXPORTER = Exporter(
    suffix=".keras",
    require_model=_require_registered,
    write=_write,
    runtime=_runtime,
    load=_load,
    usage="keras.saving.load_model({path})(inputs)",
)
