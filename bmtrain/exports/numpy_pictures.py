"""The layers with windows computed by NumPy alone, place by place of a window. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports.numpy_activations import ACTIVATIONS
from bmtrain.models.shapes.windows import both, windows

Values = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]


def conv2d(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Windows of pixels times the kernel."""
    kernel = tensors["kernel"]
    strides, dilations = both(layer["strides"]), both(layer["dilation_rate"])
    total: Any = np.float32(0)
    for place, values in _shifted(layer, x, kernel.shape[:2], strides, dilations):
        total = total + values @ kernel[place]
    return _finished(layer, tensors, total)


def depthwise_conv2d(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """Windows of each channel for itself."""
    return _finished(layer, tensors, _depthwise(layer, x, tensors["kernel"]))


def separable_conv2d(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    """That, then the channels of each pixel times a kernel."""
    between = _depthwise(layer, x, tensors["depthwise_kernel"])
    return _finished(layer, tensors, between @ tensors["pointwise_kernel"][0, 0])


def _depthwise(layer: Mapping[str, Any], x: Values, kernel: Values) -> Values:
    total: Any = np.float32(0)
    for place, values in _shifted(layer, x, kernel.shape[:2], both(layer["strides"]), (1, 1)):
        total = total + values[..., None] * kernel[place]
    return np.asarray(total.reshape(*total.shape[:-2], -1))


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
    sizes = both(layer["pool_size"])[:num_axes]
    strides = both(layer["strides"] or layer["pool_size"])[:num_axes]
    return _shifted(layer, x, sizes, strides, (1, 1), filling)


def _shifted(  # where the windows are
    layer: Mapping[str, Any],
    x: Values,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
    filling: float = 0,
) -> Iterator[tuple[tuple[int, ...], Values]]:
    """Each place in a window, and what all windows have there: (batch, *windows, channels)."""
    axes = list(zip(x.shape[1:-1], sizes, strides, dilations, strict=False))
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
    "conv2d": conv2d,
    "depthwise_conv2d": depthwise_conv2d,
    "separable_conv2d": separable_conv2d,
    "zero_padding2d": zero_padding2d,
    "up_sampling2d": up_sampling2d,
    "max_pooling1d": max_pooling,
    "max_pooling2d": max_pooling,
    "average_pooling1d": average_pooling,
    "average_pooling2d": average_pooling,
    "global_average_pooling2d": lambda layer, tensors, x: np.asarray(x.mean(axis=(1, 2))),
    "global_max_pooling2d": lambda layer, tensors, x: np.asarray(x.max(axis=(1, 2))),
}
