"""ONNX operations of the layers with windows. No TensorFlow.

ONNX's have the channels before the pixels, Keras's behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bmtrain.models.shapes.windows import both, windows

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer


def conv2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Convolution, bias, activation."""
    config: Any = layer.config
    kernel = graph.tensor(f"{prefix}.kernel")
    assert kernel is not None
    inputs = [graph.constant(f"{prefix}.W", kernel.transpose(3, 2, 0, 1))]
    if config.use_bias:
        inputs.append(graph.weight(f"{prefix}.bias"))
    sizes, dilations = both(config.kernel_size), both(config.dilation_rate)
    strides = both(config.strides)
    x = graph.apply(
        "Conv",
        _channels_first(graph, layer, x),
        *inputs,
        pads=_pads(layer, sizes, strides, dilations),
        strides=strides,
        dilations=dilations,
    )
    return graph.activate(config.activation, _channels_last(graph, layer, x))


def pooling(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """The largest value or the mean of each window; what pads it does not count."""
    config: Any = layer.config
    is_picture = len(layer.input_shape) == 3
    sizes = both(config.pool_size) if is_picture else (config.pool_size,)
    wanted = config.strides or config.pool_size
    strides = both(wanted) if is_picture else (wanted,)
    operation = "MaxPool" if config.type.startswith("max") else "AveragePool"
    x = graph.apply(
        operation,
        _channels_first(graph, layer, x),
        kernel_shape=sizes,
        strides=strides,
        pads=_pads(layer, sizes, strides),
    )
    return _channels_last(graph, layer, x)


def global_pooling2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Over all pixels."""
    operation = "ReduceMax" if layer.config.type == "global_max_pooling2d" else "ReduceMean"
    return graph.apply(operation, x, axes=[1, 2], keepdims=0)


def _pads(
    layer: PlannedLayer,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...] = (1, 1),
) -> list[int]:
    """All that is before the axes, then all that is behind them."""
    config: Any = layer.config
    axes = zip(layer.input_shape[:-1], sizes, strides, dilations, strict=False)
    placed = [windows(n, size, by, config.padding, d) for n, size, by, d in axes]
    return [one.before for one in placed] + [one.after for one in placed]


def _channels_first(graph: Graph, layer: PlannedLayer, x: str) -> str:
    last = len(layer.input_shape)
    return graph.apply("Transpose", x, perm=[0, last, *range(1, last)])


def _channels_last(graph: Graph, layer: PlannedLayer, x: str) -> str:
    last = len(layer.input_shape)
    return graph.apply("Transpose", x, perm=[0, *range(2, last + 1), 1])
