"""The closed table from activations to ONNX operations. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph


def _gelu(graph: Graph, x: str) -> str:
    """x/2 · (1 + erf(x/√2))."""
    scaled = graph.apply("Div", x, graph.constant("sqrt_2", math.sqrt(2)))
    shifted = graph.apply("Add", graph.apply("Erf", scaled), graph.constant("one", 1))
    return graph.apply("Mul", graph.apply("Mul", x, graph.constant("half", 0.5)), shifted)


def _mish(graph: Graph, x: str) -> str:
    return graph.apply("Mul", x, graph.apply("Tanh", graph.apply("Softplus", x)))


def _clip(graph: Graph, x: str, least: float, most: float) -> str:
    low, high = (graph.constant(f"number_{value:g}", value) for value in (least, most))
    return graph.apply("Clip", x, low, high)


def _times(graph: Graph, x: str, factor: float) -> str:
    return graph.apply("Mul", x, graph.constant(f"number_{factor:g}", factor))


def _plus(graph: Graph, x: str, term: float) -> str:
    return graph.apply("Add", x, graph.constant(f"number_{term:g}", term))


def _log_sigmoid(graph: Graph, x: str) -> str:
    return graph.apply("Neg", graph.apply("Softplus", graph.apply("Neg", x)))


def _sparse_plus(graph: Graph, x: str) -> str:
    """What is between −1 and 1 and what is above: (clip(x) + 1)²/4 + max(x − 1, 0)."""
    between = _plus(graph, _clip(graph, x, -1, 1), 1)
    square = _times(graph, graph.apply("Mul", between, between), 0.25)
    return graph.apply("Add", square, graph.apply("Relu", _plus(graph, x, -1)))


def _squareplus(graph: Graph, x: str) -> str:
    """(x + √(x² + 4))/2."""
    root = graph.apply("Sqrt", _plus(graph, graph.apply("Mul", x, x), 4))
    return _times(graph, graph.apply("Add", x, root), 0.5)


#: Keras's defaults: leaky_relu's slope is 0.2, elu's alpha 1; selu's constants are ONNX's own.
ACTIVATIONS: Final[dict[str, Callable[[Graph, str], str]]] = {
    "linear": lambda graph, x: x,
    "relu": lambda graph, x: graph.apply("Relu", x),
    "relu6": lambda graph, x: _clip(graph, x, 0, 6),
    "leaky_relu": lambda graph, x: graph.apply("LeakyRelu", x, alpha=0.2),
    "elu": lambda graph, x: graph.apply("Elu", x, alpha=1.0),
    "selu": lambda graph, x: graph.apply("Selu", x),
    "gelu": _gelu,
    "silu": lambda graph, x: graph.apply("Mul", x, graph.apply("Sigmoid", x)),
    "mish": _mish,
    "sigmoid": lambda graph, x: graph.apply("Sigmoid", x),
    "hard_sigmoid": lambda graph, x: graph.apply("HardSigmoid", x, alpha=1 / 6, beta=0.5),
    "log_sigmoid": _log_sigmoid,
    "sparse_sigmoid": lambda graph, x: graph.apply("HardSigmoid", x, alpha=0.5, beta=0.5),
    "tanh": lambda graph, x: graph.apply("Tanh", x),
    "hard_tanh": lambda graph, x: _clip(graph, x, -1, 1),
    "tanh_shrink": lambda graph, x: graph.apply("Sub", x, graph.apply("Tanh", x)),
    "softplus": lambda graph, x: graph.apply("Softplus", x),
    "sparse_plus": _sparse_plus,
    "squareplus": _squareplus,
    "softsign": lambda graph, x: graph.apply("Softsign", x),
    "soft_shrink": lambda graph, x: graph.apply("Shrink", x, lambd=0.5, bias=0.5),
    "hard_shrink": lambda graph, x: graph.apply("Shrink", x, lambd=0.5, bias=0.0),
    "hard_silu": lambda graph, x: graph.apply("HardSwish", x),
    "exponential": lambda graph, x: graph.apply("Exp", x),
    "softmax": lambda graph, x: graph.apply("Softmax", x, axis=-1),
    "log_softmax": lambda graph, x: graph.apply("LogSoftmax", x, axis=-1),
}
