"""Every layer, activation and scaling in every format, loaded by the format's own runtime."""

import json
import sys
import warnings
from typing import get_args

import numpy as np
import pytest

from bmtrain.config.sections.layers.arguments import Activation
from bmtrain.errors import EnvironmentFault
from bmtrain.exports import (
    numpy_activations,
    numpy_attention,
    numpy_forward,
    numpy_sequences,
    onnx_activations,
    onnx_graph,
)
from bmtrain.exports.comparison import outputs_of
from bmtrain.exports.safetensors_file import beside
from bmtrain.exports.savedmodel import tensorflow_faults
from bmtrain.exports.table import FORMATS

DENSE = {"type": "dense", "units": 4}
#: name -> (layers, shape of an example)
STACKS = {
    "every layer": (
        [
            {"type": "reshape", "target_shape": [2, -1]},
            {"type": "dense", "units": 5, "activation": "tanh"},
            {"type": "batch_normalization", "epsilon": 0.01},
            {"type": "dropout", "rate": 0.5},
            {"type": "layer_normalization", "epsilon": 0.1},
            {"type": "activation", "activation": "relu"},
            {"type": "flatten"},
            DENSE,
        ],
        (3, 4),
    ),
    "without biases": (
        [
            {"type": "dense", "units": 5, "use_bias": False},
            {"type": "batch_normalization", "center": False, "scale": False},
            {"type": "layer_normalization", "center": False, "scale": False},
            DENSE,
        ],
        (6,),
    ),
    "scaled, not centred": (
        [
            {"type": "batch_normalization", "center": False},
            {"type": "layer_normalization", "center": False},
            DENSE,
        ],
        (6,),
    ),
    "centred, not scaled": (
        [
            {"type": "batch_normalization", "scale": False},
            {"type": "layer_normalization", "scale": False},
            DENSE,
        ],
        (6,),
    ),
}


def written(format_name, exportable, directory):
    """The export's path; its description beside it, as the workflow puts it."""
    exporter = FORMATS[format_name]
    path = directory / f"made{exporter.suffix}"
    exporter.write(exportable.content, path)
    beside(path).write_text(json.dumps(exportable.content.description))
    return path


def loaded_outputs(format_name, path, features):
    """By the runtime itself, called as its documentation says, a batch of all examples."""
    match format_name:
        case "savedmodel":
            import tensorflow as tf

            model = tf.saved_model.load(str(path))
            return model.serve(features).numpy()
        case "keras":
            import keras

            return keras.saving.load_model(path, safe_mode=True).predict(features, verbose=0)
        case "onnx":
            import onnxruntime

            return onnxruntime.InferenceSession(path).run(None, {"inputs": features})[0]
        case "litert":
            import tensorflow as tf

            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                interpreter = tf.lite.Interpreter(model_path=str(path))
            (index,) = [entry["index"] for entry in interpreter.get_input_details()]
            interpreter.resize_tensor_input(index, features.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(index, features)
            interpreter.invoke()
            return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        case _:  # which has no runtime that computes
            return outputs_of(FORMATS[format_name].load(path), features)


def assert_close(outputs, reference):
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, reference, rtol=1e-4, atol=1e-5 * np.abs(reference).max())


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("format_name", FORMATS)
def test_every_layer_computes_what_keras_computes(exportable, tmp_path, random, format_name, stack):
    layers, shape = STACKS[stack]
    made = exportable(layers, random.normal(size=(300, *shape)).astype(np.float32))
    path = written(format_name, made, tmp_path)
    assert_close(loaded_outputs(format_name, path, made.features), made.outputs)
    assert_close(outputs_of(FORMATS[format_name].load(path), made.features), made.outputs)


@pytest.mark.parametrize("activation", get_args(get_args(Activation)[0]))
@pytest.mark.parametrize("format_name", ["onnx", "litert", "safetensors"])
def test_every_activation_is_keras_s(exportable, tmp_path, random, format_name, activation):
    features = random.normal(size=(40, 4)).astype(np.float32) * 5
    features[0] = [0, -0.0, 30, -30]
    made = exportable([{"type": "activation", "activation": activation}], features)
    path = written(format_name, made, tmp_path)
    outputs = loaded_outputs(format_name, path, features)
    np.testing.assert_allclose(outputs, made.outputs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("normalize", ["unit", "standardize", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_raw_inputs_are_scaled_inside(exportable, tmp_path, random, format_name, dtype, normalize):
    """Years have a mean that is large beside their deviation: x · scale − offset · scale cancels."""
    features = random.integers(0, 255, size=(50, 3), endpoint=True).astype(dtype)
    if dtype == "float32" and normalize != "none":
        features = features / 100 + np.float32(2000)
    made = exportable([DENSE], features, normalize)
    path = written(format_name, made, tmp_path)
    outputs = loaded_outputs(format_name, path, features)
    np.testing.assert_allclose(outputs, made.outputs, rtol=1e-4, atol=2e-5)


def test_a_keras_file_holds_plain_layers_alone(exportable, tmp_path, random):
    import keras

    features = random.integers(0, 255, size=(9, 3)).astype(np.uint8)
    made = exportable([{"type": "dropout", "rate": 0.5}, DENSE], features, "standardize")
    model = keras.saving.load_model(written("keras", made, tmp_path), safe_mode=True)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Rescaling", "Rescaling", "Dropout", "Dense"]
    assert model.inputs[0].dtype == "uint8"


@pytest.fixture
def little_recursion():
    """Python's bound of 1,000 calls nearer, so that fewer layers are deep."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(300)
    yield
    sys.setrecursionlimit(limit)


def test_a_deep_model_is_exported(exportable, tmp_path, random, little_recursion):
    """Keras goes through it by recursion."""
    from bmtrain.models.layers.building import building

    layers = [{"type": "activation", "activation": "relu"}] * 100 + [DENSE]
    made = exportable(layers, random.normal(size=(5, 4)).astype(np.float32))
    with building(101):
        for format_name in ("keras", "savedmodel"):
            path = written(format_name, made, tmp_path)
            assert_close(outputs_of(FORMATS[format_name].load(path), made.features), made.outputs)


def test_litert_says_what_it_cannot_before_it_tries(exportable, random):
    made = exportable(
        [{"type": "reshape", "target_shape": [1, 1, 2, 2, 1]}, {"type": "flatten"}],
        random.normal(size=(3, 4)).astype(np.float32),
    )
    objection = FORMATS["litert"].objection(made.content.architecture, made.content.facts)
    assert objection is not None
    assert objection.startswith("layer 0 (reshape) works on 6 axes")
    for format_name in FORMATS.keys() - {"litert"}:
        exporter = FORMATS[format_name]
        assert exporter.objection(made.content.architecture, made.content.facts) is None


def test_litert_names_a_loop_inside_of_a_layer(exportable, random):
    lstm = {"type": "lstm", "units": 4, "return_sequences": True}
    layers = [{"type": "residual", "layers": [lstm]}, {"type": "flatten"}, DENSE]
    made = exportable(layers, random.normal(size=(3, 5, 4)).astype(np.float32))
    objection = FORMATS["litert"].objection(made.content.architecture, made.content.facts)
    assert objection == "layer 0.layers.0 (lstm) is a loop, which has no built-in operation"


@pytest.mark.parametrize(
    ("format_name", "objects"),
    [("onnx", True), ("litert", True), ("keras", False), ("savedmodel", False)],
)
def test_a_model_larger_than_a_format_can_hold_is_told_before(
    experiment, dataset, format_name, objects
):
    """600 million weights are 2.4 GB."""
    from bmtrain.models.architecture import plan_architecture

    data = dataset(np.zeros((2, 600), np.float32), np.zeros((2, 1), np.float32))
    layers = [{"type": "dense", "units": 1_000_000}, {"type": "dense", "units": 1}]
    architecture = plan_architecture(experiment(*layers), data.facts)
    objection = FORMATS[format_name].objection(architecture, data.facts)
    assert (objection is not None) == objects
    assert not objects or "2.4 GB" in str(objection)


def test_the_tables_know_every_layer_and_activation():
    from bmtrain.models.layers.table import LAYERS, MODELS

    of_numpy = {*numpy_forward.LAYERS, *numpy_sequences.LAYERS, *numpy_attention.LAYERS, "residual"}
    assert onnx_graph.LAYERS.keys() == of_numpy == {*LAYERS, *MODELS, "residual"}
    activations = set(get_args(get_args(Activation)[0]))
    assert (
        onnx_activations.ACTIVATIONS.keys() == numpy_activations.ACTIVATIONS.keys() == activations
    )


def test_the_command_offers_every_format():
    from bmtrain.cli.commands.exporting import ExportFormat

    assert [entry.value for entry in ExportFormat] == list(FORMATS)


def test_onnx_and_savedmodel_hold_their_description(exportable, tmp_path, random):
    import onnx

    made = exportable(
        [{"type": "dense", "units": 2, "activation": "softmax"}],
        random.normal(size=(4, 3)).astype(np.float32),
        loss="sparse_categorical_crossentropy",
        labels=np.array([0, 1, 0, 1], np.int32),
    )
    model = onnx.load(written("onnx", made, tmp_path))
    held = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert held["class_names"] == ["0", "1"]
    extra = written("savedmodel", made, tmp_path) / "assets.extra" / "bmtrain.json"
    assert held["bmtrain"] == json.loads(extra.read_text())
    assert held["bmtrain"]["outputs"]["values"] == "probabilities"
    assert held["bmtrain"]["outputs"]["class_names"] == ["0", "1"]


def test_a_full_disk_has_its_words_when_tensorflow_writes(tmp_path):
    import tensorflow as tf

    def failing(said):
        with tensorflow_faults("a SavedModel", tmp_path / "m"):
            raise tf.errors.ResourceExhaustedError(None, None, said)

    with pytest.raises(EnvironmentFault, match="cannot write a SavedModel: the disk is full"):
        failing("/x/variables.data; No space left on device")
    with pytest.raises(EnvironmentFault, match="TensorFlow cannot write a SavedModel: odd"):
        failing("odd")
