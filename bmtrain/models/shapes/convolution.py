"""Convolutions."""

from __future__ import annotations

import math

from bmtrain.config.sections.layers import convolution as sections
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned
from bmtrain.models.shapes.sequences import steps_and_features
from bmtrain.models.shapes.windows import along, height_width_channels, windows_over

_Depthwise = (
    sections.DepthwiseConv1dLayer
    | sections.DepthwiseConv2dLayer
    | sections.SeparableConv1dLayer
    | sections.SeparableConv2dLayer
)
_Convolution = sections.Conv1dLayer | sections.Conv2dLayer | _Depthwise


def conv1d(config: sections.Conv1dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no sequence, or shorter than a window."""
    steps_and_features(config, given)
    return _conv(config, given)


def conv2d(config: sections.Conv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    height_width_channels(config, given)
    return _conv(config, given)


def depthwise_conv1d(config: sections.DepthwiseConv1dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no sequence, or shorter than a window."""
    steps_and_features(config, given)
    return _depthwise_conv(config, given)


def depthwise_conv2d(config: sections.DepthwiseConv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    height_width_channels(config, given)
    return _depthwise_conv(config, given)


def separable_conv1d(config: sections.SeparableConv1dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no sequence, or shorter than a window."""
    steps_and_features(config, given)
    return _separable_conv(config, given)


def separable_conv2d(config: sections.SeparableConv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    height_width_channels(config, given)
    return _separable_conv(config, given)


def _conv(config: sections.Conv1dLayer | sections.Conv2dLayer, given: Given) -> PlannedLayer:
    num_axes = len(given.shape) - 1
    sizes = along(config.kernel_size, num_axes)
    places = windows_over(
        config,
        given,
        sizes,
        along(config.strides, num_axes),
        argument="kernel_size",
        dilations=along(config.dilation_rate, num_axes),
    )
    kernel = (*sizes, given.shape[-1], config.filters)
    return _planned(config, given, places, {"kernel": kernel}, config.filters)


def _depthwise_conv(
    config: sections.DepthwiseConv1dLayer | sections.DepthwiseConv2dLayer, given: Given
) -> PlannedLayer:
    places, kernel = _depthwise(config, given)
    return _planned(config, given, places, {"kernel": kernel}, math.prod(kernel[-2:]))


def _separable_conv(
    config: sections.SeparableConv1dLayer | sections.SeparableConv2dLayer, given: Given
) -> PlannedLayer:
    places, kernel = _depthwise(config, given)
    ones = (1,) * len(places)
    kernels = {
        "depthwise_kernel": kernel,
        "pointwise_kernel": (*ones, math.prod(kernel[-2:]), config.filters),
    }
    return _planned(config, given, places, kernels, config.filters)


def _depthwise(config: _Depthwise, given: Given) -> tuple[Shape, Shape]:
    """How many windows there are, and the kernel."""
    num_axes = len(given.shape) - 1
    sizes, strides = along(config.kernel_size, num_axes), along(config.strides, num_axes)
    places = windows_over(config, given, sizes, strides, argument="kernel_size")
    return places, (*sizes, given.shape[-1], config.depth_multiplier)


def _planned(
    config: _Convolution, given: Given, places: Shape, kernels: dict[str, Shape], num_outputs: int
) -> PlannedLayer:
    """``places``: how many windows there are along each axis."""
    variables = kernels | ({"bias": (num_outputs,)} if config.use_bias else {})
    output = (*places, num_outputs)
    return planned(config, given, output, variables, uses_mask=False, rows=math.prod(places))
