"""ONNX operations of self-attention, of places and of residuals. No TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer

#: What stands for a weight of nothing before the softmax.
_FAR_BELOW: Final = -1e9


def multi_head_attention(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """(batch, steps, width) → the same."""
    config: Any = layer.config
    steps, width = layer.input_shape
    value_dim = config.value_dim or config.key_dim
    query = _heads(graph, layer, prefix, "query", x)
    key = graph.apply("Transpose", _heads(graph, layer, prefix, "key", x), perm=[0, 1, 3, 2])
    scale = graph.constant(f"{prefix}.scale", config.key_dim**-0.5)
    scores = graph.apply("MatMul", graph.apply("Mul", query, scale), key)
    if config.use_causal_mask:
        later = np.triu(np.ones((1, 1, steps, steps)), 1) * _FAR_BELOW
        scores = graph.apply("Add", scores, graph.constant(f"{prefix}.later", later))
    if layer.is_masked:
        scores = graph.apply("Add", scores, _padding(graph))
    shares = graph.apply("Softmax", scores, axis=-1)
    seen = graph.apply("MatMul", shares, _heads(graph, layer, prefix, "value", x))
    seen = graph.apply("Transpose", seen, perm=[0, 2, 1, 3])
    joined = [0, steps, config.num_heads * value_dim]
    shape = graph.constant(f"{prefix}.joined", joined, np.int64)
    seen = graph.apply("Reshape", seen, shape)
    name = f"{prefix}.attention_output"
    kernel = graph.tensor(f"{name}.kernel")
    assert kernel is not None
    made = graph.apply("MatMul", seen, graph.constant(f"{name}.matrix", kernel.reshape(-1, width)))
    return _biased(graph, name, (width,), made)


def _heads(graph: Graph, layer: PlannedLayer, prefix: str, which: str, x: str) -> str:
    """(batch, heads, steps, size of a head)."""
    name = f"{prefix}.{which}"
    kernel = graph.tensor(f"{name}.kernel")
    assert kernel is not None
    width, heads, size = kernel.shape
    made = graph.apply("MatMul", x, graph.constant(f"{name}.matrix", kernel.reshape(width, -1)))
    made = _biased(graph, name, (heads * size,), made)
    shape = graph.constant(f"{name}.shape", [0, layer.input_shape[0], heads, size], np.int64)
    return graph.apply("Transpose", graph.apply("Reshape", made, shape), perm=[0, 2, 1, 3])


def _biased(graph: Graph, name: str, shape: tuple[int, ...], x: str) -> str:
    bias = graph.tensor(f"{name}.bias")
    if bias is None:
        return x
    return graph.apply("Add", x, graph.constant(f"{name}.vector", bias.reshape(shape)))


def _padding(graph: Graph) -> str:
    """(batch, 1, 1, steps): 0 for tokens, far below for padding."""
    axes = graph.constant("head_and_query_axes", [1, 2], np.int64)
    mask = graph.apply("Unsqueeze", graph.mask, axes)
    missing = graph.apply("Sub", graph.constant("one", 1), mask)
    return graph.apply("Mul", missing, graph.constant("far_below", _FAR_BELOW))


def positional_embedding(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """The vectors of all places are added."""
    return graph.apply("Add", x, graph.weight(f"{prefix}.embeddings"))


def residual(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """layers(x) + shortcut(x)."""
    ends = {"layers": x, "shortcut": x}
    for name, inner in layer.inner.items():
        path = name.partition(".")[0]
        ends[path] = graph.layer(inner, f"{prefix}.{name}", ends[path])
    return graph.apply("Add", *ends.values())
