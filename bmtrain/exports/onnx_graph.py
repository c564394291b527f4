"""The closed table from layer types to ONNX operations. No TensorFlow.

Written here operation by operation, for a dozen layers and activations: a converter of
TensorFlow's graphs would be another library that follows TensorFlow's versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from bmtrain.exports import (
    onnx_activations,
    onnx_attention,
    onnx_normalization,
    onnx_pictures,
    onnx_sequences,
)
from bmtrain.exports.description import INPUTS, OUTPUTS
from bmtrain.exports.exporter import Content
from bmtrain.models.shapes.planned import PlannedLayer
from bmtrain.version import __version__

#: Of 2022: the first with LayerNormalization; runtimes of today read it, and those of then.
_OPERATIONS_VERSION: Final = 17
_FORMAT_VERSION: Final = 8


class Graph:
    """Operations in a row; each takes names and gives the name of what it makes."""

    def __init__(self, content: Content) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: set[str] = set()
        self._weights = content.weights
        #: Of the tokens, where layers pass over padding: 1 or 0 (batch, steps), and how many.
        self.mask = self.lengths = ""

    def apply(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation; the name of its output."""
        name = f"{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        """Add a constant unless one of that name is there."""
        if name not in self._names:
            self._names.add(name)
            self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def tensor(self, name: str) -> NDArray[Any] | None:
        """A weight's values; None: the layer does without it."""
        return self._weights.get(name)

    def weight(self, name: str) -> str:
        """A weight as a constant."""
        return self.constant(name, self._weights[name])

    def activate(self, activation: str, x: str) -> str:
        """Add an activation."""
        return onnx_activations.ACTIVATIONS[activation](self, x)

    def layer(self, layer: PlannedLayer, prefix: str, x: str) -> str:
        """Add a layer whose weights begin with ``prefix``."""
        return LAYERS[layer.config.type](self, layer, prefix, x)


def _dense(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    config: Any = layer.config
    x = graph.apply("MatMul", x, graph.weight(f"{prefix}.kernel"))
    if config.use_bias:
        x = graph.apply("Add", x, graph.weight(f"{prefix}.bias"))
    return graph.activate(config.activation, x)


def _activation(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    config: Any = layer.config
    return graph.activate(config.activation, x)


def _reshape(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    # 0 keeps the batch as it is.
    shape = graph.constant(f"{prefix}.shape", [0, *layer.output_shape], np.int64)
    return graph.apply("Reshape", x, shape)


def _unchanged(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    return x


#: Layer type ↦ function of (graph, layer, its weights' prefix, the input's name), at inference.
LAYERS: Final[dict[str, Callable[[Graph, PlannedLayer, str, str], str]]] = {
    "dense": _dense,
    "activation": _activation,
    "dropout": _unchanged,
    "spatial_dropout1d": _unchanged,
    "spatial_dropout2d": _unchanged,
    "gaussian_dropout": _unchanged,
    "gaussian_noise": _unchanged,
    "batch_normalization": onnx_normalization.batch_normalization,
    "layer_normalization": onnx_normalization.layer_normalization,
    "group_normalization": onnx_normalization.group_normalization,
    "rms_normalization": onnx_normalization.rms_normalization,
    "unit_normalization": onnx_normalization.unit_normalization,
    "flatten": _reshape,
    "reshape": _reshape,
    "embedding": onnx_sequences.embedding,
    "simple_rnn": onnx_sequences.recurrent,
    "lstm": onnx_sequences.recurrent,
    "gru": onnx_sequences.recurrent,
    "bidirectional": onnx_sequences.recurrent,
    "conv1d": onnx_pictures.conv,
    "conv2d": onnx_pictures.conv,
    "depthwise_conv1d": onnx_pictures.depthwise_conv,
    "depthwise_conv2d": onnx_pictures.depthwise_conv,
    "separable_conv1d": onnx_pictures.separable_conv,
    "separable_conv2d": onnx_pictures.separable_conv,
    "zero_padding2d": onnx_pictures.zero_padding2d,
    "up_sampling2d": onnx_pictures.up_sampling2d,
    "max_pooling1d": onnx_pictures.pooling,
    "max_pooling2d": onnx_pictures.pooling,
    "average_pooling1d": onnx_pictures.pooling,
    "average_pooling2d": onnx_pictures.pooling,
    "global_average_pooling1d": onnx_sequences.global_average_pooling1d,
    "global_average_pooling2d": onnx_pictures.global_pooling2d,
    "global_max_pooling1d": onnx_sequences.global_max_pooling1d,
    "global_max_pooling2d": onnx_pictures.global_pooling2d,
    "multi_head_attention": onnx_attention.multi_head_attention,
    "positional_embedding": onnx_attention.positional_embedding,
    "residual": onnx_attention.residual,
}


def onnx_model(content: Content) -> Any:
    """The model as a ModelProto: raw ``inputs`` (batch, *shape) in the data's dtype → ``outputs``."""
    graph, facts = Graph(content), content.facts
    scaling = content.description["preprocessing"]
    dtype = TensorProto.FLOAT if facts.vocabulary_size is None else TensorProto.INT32
    x = graph.apply("Cast", INPUTS, to=dtype)
    if np.any(np.asarray(scaling["offset"]) != 0):
        x = graph.apply("Sub", x, graph.constant("preprocessing.offset", scaling["offset"]))
    if np.any(np.asarray(scaling["scale"]) != 1):
        x = graph.apply("Mul", x, graph.constant("preprocessing.scale", scaling["scale"]))
    for position, layer in enumerate(content.architecture.layers):
        x = graph.layer(layer, f"layers.{position}", x)
    graph.nodes.append(helper.make_node("Identity", [x], [OUTPUTS], name=OUTPUTS))
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(facts.input_dtype))
    inputs = helper.make_tensor_value_info(INPUTS, dtype, ["batch", *facts.input_shape])
    outputs = helper.make_tensor_value_info(
        OUTPUTS, TensorProto.FLOAT, ["batch", *content.architecture.output_shape]
    )
    made = helper.make_graph(
        graph.nodes, content.description["name"], [inputs], [outputs], graph.constants
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", _OPERATIONS_VERSION)],
        producer_name="bmtrain",
        producer_version=__version__,
    )
    model.ir_version = _FORMAT_VERSION
    assert isinstance(model, onnx.ModelProto)
    return model
