"""ONNX operations of the layers for sequences. No TensorFlow.

Padding lies behind the tokens, so that a mask is a length: the recurrent operations take one
per example, give 0 behind it, and read backwards from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from bmtrain.models.shapes.recurrent import DIRECTIONS

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer

#: Layer type ↦ the operation, where its gates are in Keras's order, and how many states it has.
_RECURRENT: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "simple_rnn": ("RNN", (0,)),
    "gru": ("GRU", (0, 1, 2)),
    "lstm": ("LSTM", (0, 3, 1, 2)),  # input, output, forget, cell; Keras: i, f, c, o
}
_ACTIVATIONS: Final = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}


def embedding(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Rows of the table; the mask is made of the tokens, which no later layer sees."""
    config: Any = layer.config
    if config.mask_zero:
        zero = graph.constant("padding", 0, np.int32)
        is_token = graph.apply("Not", graph.apply("Equal", x, zero))
        graph.mask = graph.apply("Cast", is_token, to=TensorProto.FLOAT)
        counted = graph.apply("Cast", is_token, to=TensorProto.INT32)
        axis = graph.constant("steps_axis", [1], np.int64)
        graph.lengths = graph.apply("ReduceSum", counted, axis, keepdims=0)
    return graph.apply("Gather", graph.weight(f"{prefix}.embeddings"), x, axis=0)


def recurrent(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """One direction, or both of a bidirectional layer: (batch, steps, features) → its output."""
    config: Any = layer.config
    is_both = config.type == "bidirectional"
    one = config.layer if is_both else config
    prefixes = [f"{prefix}.{direction}" for direction in DIRECTIONS] if is_both else [prefix]
    whole, last = _operation(graph, layer, one, prefixes, prefix, x)
    # (steps, directions, batch, units) or (directions, batch, units) → directions behind the batch
    # and the steps.
    order = [2, 0, 1, 3] if one.return_sequences else [1, 0, 2]
    outputs = graph.apply("Transpose", whole if one.return_sequences else last, perm=order)
    return _merged(graph, outputs, layer, prefix)


def _operation(
    graph: Graph, layer: PlannedLayer, one: Any, prefixes: list[str], prefix: str, x: str
) -> tuple[str, str]:
    operation, gates = _RECURRENT[one.type]
    weights = [_direction_weights(graph, name, gates, one) for name in prefixes]
    names = [
        graph.constant(f"{prefix}.{name}", np.stack([each[at] for each in weights]))
        for at, name in enumerate(("W", "R", "B"))
    ]
    activation = _ACTIVATIONS[one.activation]
    activations = {
        "RNN": [activation],
        "GRU": ["Sigmoid", activation],
        "LSTM": ["Sigmoid", activation, activation],
    }[operation]
    attributes: dict[str, Any] = {
        "hidden_size": one.units,
        "direction": "bidirectional" if len(prefixes) == 2 else "forward",
        "activations": activations * len(prefixes),
    }
    if operation == "GRU":
        attributes["linear_before_reset"] = 1
    steps_first = graph.apply("Transpose", x, perm=[1, 0, 2])
    lengths = graph.lengths if layer.is_masked else ""
    outputs = [f"{prefix}.sequence", f"{prefix}.last"]
    inputs = [steps_first, *names, lengths]
    graph.nodes.append(helper.make_node(operation, inputs, outputs, name=prefix, **attributes))
    return outputs[0], outputs[1]


def _direction_weights(
    graph: Graph, prefix: str, gates: tuple[int, ...], one: Any
) -> tuple[NDArray[Any], ...]:
    """Kernel, recurrent kernel and both biases as ONNX has them: a row per unit of each gate."""
    kernel, state = graph.tensor(f"{prefix}.kernel"), graph.tensor(f"{prefix}.recurrent_kernel")
    assert kernel is not None
    assert state is not None
    width = len(gates) * one.units
    order = np.concatenate([np.arange(gate * one.units, (gate + 1) * one.units) for gate in gates])
    biases = np.zeros((2, width), np.float32)
    if one.use_bias:
        bias = graph.tensor(f"{prefix}.bias")
        assert bias is not None
        biases[: bias.size // width] = bias.reshape(-1, width)  # Keras's GRU has both
    return kernel.T[order], state.T[order], biases[:, order].reshape(-1)


def _merged(graph: Graph, outputs: str, layer: PlannedLayer, prefix: str) -> str:
    """(…, directions, units) → (…, units), by ``merge_mode``."""
    config: Any = layer.config
    merge_mode = getattr(config, "merge_mode", "concat")
    axis = len(layer.output_shape)
    if merge_mode == "concat":
        shape = graph.constant(f"{prefix}.shape", [0, *layer.output_shape], np.int64)
        return graph.apply("Reshape", outputs, shape)
    if merge_mode == "mul":
        numbers = [graph.constant(f"direction_{at}", at, np.int64) for at in (0, 1)]
        both = [graph.apply("Gather", outputs, number, axis=axis) for number in numbers]
        return graph.apply("Mul", *both)
    if merge_mode == "ave":
        return graph.apply("ReduceMean", outputs, axes=[axis], keepdims=0)
    axes = graph.constant(f"{prefix}.axis", [axis], np.int64)
    return graph.apply("ReduceSum", outputs, axes, keepdims=0)


def global_average_pooling1d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Σ x · mask / Σ mask where the input is masked."""
    if not layer.is_masked:
        return graph.apply("ReduceMean", x, axes=[1], keepdims=0)
    axis = graph.constant("steps_axis", [1], np.int64)
    last = graph.constant("last_axis", [2], np.int64)
    mask = graph.apply("Unsqueeze", graph.mask, last)
    total = graph.apply("ReduceSum", graph.apply("Mul", x, mask), axis, keepdims=0)
    return graph.apply("Div", total, graph.apply("ReduceSum", mask, axis, keepdims=0))


def global_max_pooling1d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Over all steps."""
    return graph.apply("ReduceMax", x, axes=[1], keepdims=0)
