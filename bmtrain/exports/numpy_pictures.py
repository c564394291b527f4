"""The layers with windows computed by NumPy alone, place by place of a window. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports.numpy_activations import ACTIVATIONS
from bmtrain.models.shapes.windows import along, both, windows

Values = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]


def conv(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Windows of steps or pixels times the kernel."""
    kernel = tensors["kernel"]
    total: Any = np.float32(0)
    for place, values in _convolved(layer, x, kernel, layer["dilation_rate"]):
        total = total + values @ kernel[place]
    return _finished(layer, tensors, total)


def depthwise_conv(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Windows of each feature or channel for itself."""
    return _finished(layer, tensors, _depthwise(layer, x, tensors["kernel"]))


def separable_conv(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """That, then the channels of each step or pixel times a kernel."""
    between = _depthwise(layer, x, tensors["depthwise_kernel"])
    pointwise = tensors["pointwise_kernel"]
    return _finished(layer, tensors, between @ pointwise.reshape(pointwise.shape[-2:]))


def _depthwise(layer: Mapping[str, Any], x: Values, kernel: Values) -> Values:
    total: Any = np.float32(0)
    for place, values in _convolved(layer, x, kernel, 1):
        total = total + values[..., None] * kernel[place]
    return np.asarray(total.reshape(*total.shape[:-2], -1))


def _convolved(
    layer: Mapping[str, Any], x: Values, kernel: Values, dilation_rate: Any
) -> Iterator[tuple[tuple[int, ...], Values]]:
    num_axes = x.ndim - 2
    strides, dilations = along(layer["strides"], num_axes), along(dilation_rate, num_axes)
    return _shifted(layer, x, kernel.shape[:num_axes], strides, dilations)


def _finished(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    biased = x + tensors["bias"] if layer["use_bias"] else x
    return np.asarray(ACTIVATIONS[layer["activation"]](biased), np.float32)


def zero_padding2d(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Zeros around."""
    return np.pad(x, ((0, 0), *((rim, rim) for rim in both(layer["padding"])), (0, 0)))


def up_sampling2d(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Each pixel repeated."""
    down, across = both(layer["size"])
    return x.repeat(down, axis=1).repeat(across, axis=2)


def max_pooling(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """The largest value of each window."""
    return np.max([values for _, values in _pooled(layer, x, -np.inf)], axis=0)


def average_pooling(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """The mean of each window; what pads it does not count."""
    total = np.sum([values for _, values in _pooled(layer, x, 0)], axis=0)
    ones = np.ones((1, *x.shape[1:]), np.float32)
    return np.asarray(total / np.sum([values for _, values in _pooled(layer, ones, 0)], axis=0))


def _pooled(
    layer: Mapping[str, Any], x: Values, filling: float
) -> Iterator[tuple[tuple[int, ...], Values]]:
    num_axes = x.ndim - 2
    sizes = along(layer["pool_size"], num_axes)
    strides = along(layer["strides"] or layer["pool_size"], num_axes)
    return _shifted(layer, x, sizes, strides, (1,) * num_axes, filling)


def _shifted(  # where the windows are
    layer: Mapping[str, Any],
    x: Values,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    filling: float = 0,
) -> Iterator[tuple[tuple[int, ...], Values]]:
    """Each place in a window, and what all windows have there: (batch, *windows, channels)."""
    axes = list(zip(x.shape[1:-1], sizes, strides, dilations, strict=True))
    placed = [windows(n, size, by, layer["padding"], d) for n, size, by, d in axes]
    around = [(one.before, one.after) for one in placed]
    padded = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=filling)
    for place in product(*map(range, sizes)):
        slices = [
            slice(at * d, at * d + (one.count - 1) * by + 1, by)
            for at, one, (_, _, by, d) in zip(place, placed, axes, strict=True)
        ]
        yield place, padded[:, *slices]


#: Layer type ↦ function of (description, its own tensors, inputs (batch, …, channels)).
LAYERS: Final[dict[str, Callable[[Mapping[str, Any], Tensors, Values], Values]]] = {
    "conv1d": conv,
    "conv2d": conv,
    "depthwise_conv1d": depthwise_conv,
    "depthwise_conv2d": depthwise_conv,
    "separable_conv1d": separable_conv,
    "separable_conv2d": separable_conv,
    "zero_padding2d": zero_padding2d,
    "up_sampling2d": up_sampling2d,
    "max_pooling1d": max_pooling,
    "max_pooling2d": max_pooling,
    "average_pooling1d": average_pooling,
    "average_pooling2d": average_pooling,
    "global_average_pooling2d": lambda layer, tensors, x: np.asarray(x.mean(axis=(1, 2))),
    "global_max_pooling2d": lambda layer, tensors, x: np.asarray(x.max(axis=(1, 2))),
}
