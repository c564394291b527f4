"""ONNX operations of the normalisations. No TensorFlow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer


def batch_normalization(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """(x − mean) · gamma/√(variance + ε) + beta: ONNX's own works on the second axis, not the last."""
    config: Any = layer.config
    gamma, beta = graph.tensor(f"{prefix}.gamma"), graph.tensor(f"{prefix}.beta")
    variance = graph.tensor(f"{prefix}.moving_variance")
    assert variance is not None
    scale = (1 if gamma is None else gamma) / np.sqrt(variance + np.float32(config.epsilon))
    x = graph.apply("Sub", x, graph.weight(f"{prefix}.moving_mean"))
    x = graph.apply("Mul", x, graph.constant(f"{prefix}.scale", scale))
    return x if beta is None else graph.apply("Add", x, graph.weight(f"{prefix}.beta"))


def layer_normalization(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Over the last axis."""
    config: Any = layer.config
    gamma, beta = graph.tensor(f"{prefix}.gamma"), graph.tensor(f"{prefix}.beta")
    ones = np.ones(layer.input_shape[-1:], np.float32)
    inputs = [x, graph.constant(f"{prefix}.gamma", ones if gamma is None else gamma)]
    if beta is not None:
        inputs.append(graph.weight(f"{prefix}.beta"))
    return graph.apply("LayerNormalization", *inputs, axis=-1, epsilon=config.epsilon)


def group_normalization(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """ONNX's own is younger than these operations, and has the channels in front."""
    config: Any = layer.config
    *places, channels = layer.input_shape
    groups = channels if config.groups == -1 else config.groups
    apart = [0, math.prod(places), groups, channels // groups]
    x = graph.apply("Reshape", x, graph.constant(f"{prefix}.apart", apart, np.int64))
    x = graph.apply("Sub", x, graph.apply("ReduceMean", x, axes=[1, 3], keepdims=1))
    variance = graph.apply("ReduceMean", graph.apply("Mul", x, x), axes=[1, 3], keepdims=1)
    x = _over_root(graph, prefix, x, variance, config.epsilon)
    shape = graph.constant(f"{prefix}.shape", [0, *layer.input_shape], np.int64)
    x = graph.apply("Reshape", x, shape)
    if config.scale:
        x = graph.apply("Mul", x, graph.weight(f"{prefix}.gamma"))
    return graph.apply("Add", x, graph.weight(f"{prefix}.beta")) if config.center else x


def rms_normalization(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Over the last axis: x / √(mean of x² + ε) · scale."""
    config: Any = layer.config
    squares = graph.apply("ReduceMean", graph.apply("Mul", x, x), axes=[-1], keepdims=1)
    x = _over_root(graph, prefix, x, squares, config.epsilon)
    return graph.apply("Mul", x, graph.weight(f"{prefix}.scale"))


def unit_normalization(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Over the last axis: x / ‖x‖. Keras's smallest length is 1e-12."""
    length = graph.apply("ReduceL2", x, axes=[-1], keepdims=1)
    return graph.apply("Div", x, graph.apply("Max", length, graph.constant("shortest", 1e-12)))


def _over_root(graph: Graph, prefix: str, x: str, squares: str, epsilon: float) -> str:
    inside = graph.apply("Add", squares, graph.constant(f"{prefix}.epsilon", epsilon))
    return graph.apply("Div", x, graph.apply("Sqrt", inside))
