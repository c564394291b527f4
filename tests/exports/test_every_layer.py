"""Every layer of the schema is tried in every format, or the format says before why it cannot."""

from typing import Any, get_args

import numpy as np
import pytest

from bmtrain.config.sections.layers.union import Layer
from bmtrain.exports.table import FORMATS
from bmtrain.models.architecture import plan_architecture
from tests.exports import test_formats, test_pictures, test_sequences

SECTIONS = get_args(get_args(Layer)[0])
TYPES = {get_args(section.model_fields["type"].annotation)[0] for section in SECTIONS}
#: By hand, layer by layer; the others are written by TensorFlow and Keras, which know their layers.
BY_HAND = ("onnx", "safetensors")
DENSE = {"type": "dense", "units": 3, "activation": "softmax"}
#: Layers that no LiteRT file has, each behind nothing, and before what makes a vector of it.
NOT_IN_LITERT: dict[str, list[dict[str, Any]]] = {
    "simple_rnn": [{"type": "simple_rnn", "units": 2}],
    "lstm": [{"type": "lstm", "units": 2}],
    "gru": [{"type": "gru", "units": 2}],
    "bidirectional": [{"type": "bidirectional", "layer": {"type": "gru", "units": 2}}],
    "embedding": [{"type": "embedding", "output_dim": 2}, {"type": "flatten"}],
}


def types_in(layers):
    """Of layers, and of those that they are made of."""
    for layer in layers:
        yield layer["type"]
        yield from types_in([*layer.get("layers", ()), *layer.get("shortcut", ())])
        yield from types_in([layer["layer"]] if "layer" in layer else [])


def stacks(format_name):
    """All models that the tests of this directory export to that format, whole."""
    yield from (layers for layers, _ in test_formats.STACKS.values())
    yield from test_pictures.WHOLE.values()
    if format_name in BY_HAND:
        yield from test_pictures.STACKS.values()
        yield from test_sequences.STACKS.values()
    elif format_name != "litert":
        yield from (test_sequences.STACKS[name] for name in test_sequences.BY_KERAS)


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_layer_is_tried_or_known_to_be_refused(format_name):
    tried = {kind for layers in stacks(format_name) for kind in types_in(layers)}
    refused = set(NOT_IN_LITERT) if format_name == "litert" else set()
    assert tried | refused == TYPES
    assert not tried & refused


@pytest.mark.parametrize("kind", NOT_IN_LITERT)
def test_what_litert_cannot_hold_is_told_without_tensorflow(
    experiment, dataset, text_dataset, kind
):
    labels = np.arange(6, dtype=np.int32) % 3
    if kind == "embedding":
        data = text_dataset(np.ones((6, 5), np.uint16), labels, vocabulary_size=4)
    else:
        data = dataset(np.zeros((6, 5, 2), np.float32), labels)
    layers = [*NOT_IN_LITERT[kind], DENSE]
    config = experiment(*layers, loss={"name": "sparse_categorical_crossentropy"})
    architecture = plan_architecture(config, data.facts)
    told = {name: one.objection(architecture, data.facts) for name, one in FORMATS.items()}
    words = "LiteRT" if kind == "embedding" else "is a loop"
    assert words in str(told["litert"])
    assert [name for name, objection in told.items() if objection is not None] == ["litert"]
