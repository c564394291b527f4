"""LiteRT (TensorFlow Lite): one ``.tflite`` file for phones and small devices.

Built-in operations only, so that every LiteRT runtime has them; the batch has any size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.layers.recurrent import BidirectionalLayer, RecurrentSection
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.durable import write_new_file
from bmtrain.errors import UsageError
from bmtrain.exports.description import INPUTS
from bmtrain.exports.exporter import Content, Exporter, Run, of_plugins, too_large
from bmtrain.exports.savedmodel import tensorflow_faults
from bmtrain.models.architecture import Architecture
from bmtrain.models.shapes.planned import PlannedLayer

#: Axes that its operations take, the batch among them.
MAX_AXES: Final = 5
_DTYPES: Final = {"uint8", "float32"}


def _objection(architecture: Architecture, facts: DataFacts) -> str | None:
    if facts.vocabulary_size is not None:
        return "its inputs are tokens of texts, for which there is no LiteRT file here"
    if facts.input_dtype not in _DTYPES:
        return f"its inputs are {facts.input_dtype}; LiteRT takes uint8 and float32 here"
    for position, layer in enumerate(architecture.layers):
        if (why := _layer_objection(f"layer {position}", layer)) is not None:
            return why
    return too_large(architecture, "a .tflite file")


def _layer_objection(name: str, layer: PlannedLayer) -> str | None:
    """Of a layer, or of one that it is made of."""
    what = f"{name} ({layer.config.type})"
    if isinstance(layer.config, (RecurrentSection, BidirectionalLayer)):
        return f"{what} is a loop, which has no built-in operation"
    num_axes = 1 + max(len(layer.input_shape), len(layer.output_shape))
    if num_axes > MAX_AXES:
        return (
            f"{what} works on {num_axes} axes, the batch among them; LiteRT's operations take "
            f"{MAX_AXES}"
        )
    inner = (_layer_objection(f"{name}.{role}", part) for role, part in layer.inner.items())
    return next((why for why in inner if why is not None), None)


def _write(content: Content, path: Path) -> None:
    import keras  # started by the caller
    import tensorflow as tf

    facts = content.facts
    raw = tf.TensorSpec((None, *facts.input_shape), facts.input_dtype, name=INPUTS)
    archive = keras.export.ExportArchive()
    archive.track(content.keras_model)
    archive.add_endpoint("serve", _unfolded(content.keras_model), input_signature=[raw])
    # By way of a SavedModel: of a bare function the converter loses the variables' values.
    between = path.with_name(f"{path.name}.savedmodel")
    with tensorflow_faults("a SavedModel", between):
        archive.write_out(str(between), verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(between))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        converted = converter.convert()
    except Exception as error:  # the converter's own, of a module that is not public
        why = "LiteRT has no built-in operation for what it computes"
        objection = of_plugins(content.architecture, why)
        if objection is None:
            raise
        raise UsageError(f"--to litert: {objection}") from error
    write_new_file(path, converted)


def _unfolded(model: Any) -> Callable[[Any], Any]:
    """The model's layers, with something behind the first that does nothing to finite values.

    The converter folds (x − offset) · scale · kernel into x · kernel′ − bias′, and where the
    offset is large beside the deviation that cancels all digits. It does not look behind this.
    """
    import tensorflow as tf

    def serve(inputs: Any) -> Any:
        first, *others = model.layers
        values = tf.maximum(first(inputs), np.finfo(np.float32).min)
        for layer in others:
            values = layer(values, training=False)
        return values

    return serve


def _load(path: Path) -> Run:
    import tensorflow as tf

    with warnings.catch_warnings():
        # It recommends another package, which this TensorFlow does without.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = tf.lite.Interpreter(model_path=str(path))

    def run(features: NDArray[np.generic]) -> NDArray[np.float32]:
        runner = interpreter.get_signature_runner("serving_default")
        outputs: NDArray[np.float32]
        (outputs,) = runner(**{INPUTS: features}).values()
        return outputs

    return run


def _runtime() -> str:
    import tensorflow as tf

    return f"tf.lite.Interpreter {tf.__version__}"


EXPORTER = Exporter(
    suffix=".tflite",
    objection=_objection,
    write=_write,
    runtime=_runtime,
    load=_load,
    usage="tf.lite.Interpreter({path}).get_signature_runner()(inputs=inputs)",
)
