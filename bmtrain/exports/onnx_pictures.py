"""ONNX operations of the layers with windows. No TensorFlow.

ONNX's have the channels before the pixels, Keras's behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bmtrain.models.shapes.windows import along, both, windows

if TYPE_CHECKING:
    from bmtrain.exports.onnx_graph import Graph
    from bmtrain.models.shapes.planned import PlannedLayer


def conv(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """Convolution, bias, activation."""
    config: Any = layer.config
    kernel = _outputs_first(graph, f"{prefix}.kernel")
    x = _channels_first(graph, layer, x)
    x = _convolved(graph, layer, x, kernel, config.dilation_rate)
    return _finished(graph, layer, prefix, x)


def depthwise_conv(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """As many groups as channels."""
    x = _depthwise(graph, layer, f"{prefix}.kernel", _channels_first(graph, layer, x))
    return _finished(graph, layer, prefix, x)


def separable_conv(graph: Graph, layer: PlannedLayer, prefix: str, x: str) -> str:
    """That, then a kernel of one step or pixel."""
    x = _depthwise(graph, layer, f"{prefix}.depthwise_kernel", _channels_first(graph, layer, x))
    x = graph.apply("Conv", x, _outputs_first(graph, f"{prefix}.pointwise_kernel"))
    return _finished(graph, layer, prefix, x)


def _outputs_first(graph: Graph, name: str) -> str:
    """A kernel (*sizes, channels, filters) as ONNX has it, (filters, channels, *sizes)."""
    kernel = graph.tensor(name)
    assert kernel is not None
    return graph.constant(f"{name}.W", np.moveaxis(kernel, (-1, -2), (0, 1)))


def _depthwise(graph: Graph, layer: PlannedLayer, name: str, x: str) -> str:
    kernel = graph.tensor(name)
    assert kernel is not None
    *sizes, channels, multiplier = kernel.shape
    shape = (channels * multiplier, 1, *sizes)
    made = graph.constant(f"{name}.W", np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(shape))
    return _convolved(graph, layer, x, made, 1, group=channels)


def _convolved(
    graph: Graph, layer: PlannedLayer, x: str, kernel: str, dilation_rate: Any, **more: int
) -> str:
    config: Any = layer.config
    num_axes = len(layer.input_shape) - 1
    sizes, strides = along(config.kernel_size, num_axes), along(config.strides, num_axes)
    dilations = along(dilation_rate, num_axes)
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
    num_axes = len(layer.input_shape) - 1
    sizes = along(config.pool_size, num_axes)
    strides = along(config.strides or config.pool_size, num_axes)
    operation = "MaxPool" if config.type.startswith("max") else "AveragePool"
    x = graph.apply(
        operation,
        _channels_first(graph, layer, x),
        kernel_shape=sizes,
        strides=strides,
        pads=_pads(layer, sizes, strides, (1,) * num_axes),
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
    dilations: tuple[int, ...],
) -> list[int]:
    """All that is before the axes, then all that is behind them."""
    config: Any = layer.config
    axes = zip(layer.input_shape[:-1], sizes, strides, dilations, strict=True)
    placed = [windows(n, size, by, config.padding, d) for n, size, by, d in axes]
    return [one.before for one in placed] + [one.after for one in placed]


def _channels_first(graph: Graph, layer: PlannedLayer, x: str) -> str:
    last = len(layer.input_shape)
    return graph.apply("Transpose", x, perm=[0, last, *range(1, last)])


def _channels_last(graph: Graph, layer: PlannedLayer, x: str) -> str:
    last = len(layer.input_shape)
    return graph.apply("Transpose", x, perm=[0, *range(2, last + 1), 1])
