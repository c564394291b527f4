"""ONNX operations of the layers with windows. No TensorFlow.

ONNX's have the channels before the pixels, Keras's behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bmtrain.models.shapes.windows import both, windows

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer


def conv2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Convolution, bias, activation."""
    config: Any = layer.config
    kernel = graph.tensor(f"{prefix}.kernel")
    assert kernel is not None
    dilations = both(config.dilation_rate)
    x = _channels_first(graph, layer, x)
    x = _convolved(
        graph, layer, x, graph.constant(f"{prefix}.W", kernel.transpose(3, 2, 0, 1)), dilations
    )
    return _finished(graph, layer, prefix, x)


def depthwise_conv2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """As many groups as channels."""
    x = _depthwise(graph, layer, f"{prefix}.kernel", _channels_first(graph, layer, x))
    return _finished(graph, layer, prefix, x)


def separable_conv2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """That, then a kernel of 1 × 1."""
    x = _depthwise(graph, layer, f"{prefix}.depthwise_kernel", _channels_first(graph, layer, x))
    pointwise = graph.tensor(f"{prefix}.pointwise_kernel")
    assert pointwise is not None
    x = graph.apply("Conv", x, graph.constant(f"{prefix}.W", pointwise.transpose(3, 2, 0, 1)))
    return _finished(graph, layer, prefix, x)


def _depthwise(graph: Graph, layer: PlannedLayer, name: str, x: str) -> str:
    kernel = graph.tensor(name)
    assert kernel is not None
    height, width, channels, multiplier = kernel.shape
    shape = (channels * multiplier, 1, height, width)
    made = graph.constant(f"{name}.W", kernel.transpose(2, 3, 0, 1).reshape(shape))
    return _convolved(graph, layer, x, made, (1, 1), group=channels)


def _convolved(
    graph: Graph, layer: PlannedLayer, x: str, kernel: str, dilations: tuple[int, int], **more: int
) -> str:
    config: Any = layer.config
    sizes, strides = both(config.kernel_size), both(config.strides)
    pads = _pads(layer, sizes, strides, dilations)
    return graph.apply("Conv", x, kernel, pads=pads, strides=strides, dilations=dilations, **more)


def _finished(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    config: Any = layer.config
    x = _channels_last(graph, layer, x)
    if config.use_bias:
        x = graph.apply("Add", x, graph.weight(f"{prefix}.bias"))
    return graph.activate(config.activation, x)


def zero_padding2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Before all axes, then behind them."""
    config: Any = layer.config
    around = [0, *both(config.padding), 0]
    return graph.apply("Pad", x, graph.constant(f"{prefix}.pads", around * 2, np.int64))


def up_sampling2d(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Each pixel repeated, along one axis and then the other."""
    config: Any = layer.config
    height, width, channels = layer.input_shape
    down, across = both(config.size)
    apart = graph.constant(f"{prefix}.apart", [0, height, 1, width, 1, channels], np.int64)
    repeats = graph.constant(f"{prefix}.repeats", [1, 1, down, 1, across, 1], np.int64)
    joined = graph.constant(f"{prefix}.shape", [0, *layer.output_shape], np.int64)
    return graph.apply(
        "Reshape", graph.apply("Tile", graph.apply("Reshape", x, apart), repeats), joined
    )


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
