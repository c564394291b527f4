"""Convolutions."""

from __future__ import annotations

import math

from bmtrain.config.sections.layers import convolution as sections
from bmtrain.errors import DataError
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned
from bmtrain.models.shapes.sequences import steps_and_features
from bmtrain.models.shapes.windows import both, height_width_channels, windows_over


def conv1d(config: sections.Conv1dLayer, given: Given) -> PlannedLayer:
    """DataError where the window is longer than the sequence."""
    steps, num_features = steps_and_features(config, given)
    num_windows = steps if config.padding != "valid" else steps - config.kernel_size + 1
    if num_windows < 1:
        raise DataError(
            f"{given.name} (conv1d) has a window of {config.kernel_size} steps, its input has "
            f"{steps}",
            key=(*given.key, "kernel_size"),
            hint="a smaller kernel_size, or padding: same",
        )
    variables: dict[str, Shape] = {"kernel": (config.kernel_size, num_features, config.filters)}
    if config.use_bias:
        variables["bias"] = (config.filters,)
    num_windows = -(-num_windows // config.strides)
    output = (num_windows, config.filters)
    return planned(config, given, output, variables, uses_mask=False, rows=num_windows)


def conv2d(config: sections.Conv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    *_, channels = height_width_channels(config, given)
    sizes, strides = both(config.kernel_size), both(config.strides)
    places = windows_over(
        config,
        given,
        sizes,
        strides,
        argument="kernel_size",
        dilations=both(config.dilation_rate),
    )
    variables: dict[str, Shape] = {"kernel": (*sizes, channels, config.filters)}
    if config.use_bias:
        variables["bias"] = (config.filters,)
    output = (*places, config.filters)
    return planned(config, given, output, variables, uses_mask=False, rows=math.prod(places))


def depthwise_conv2d(config: sections.DepthwiseConv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    places, kernel = _depthwise(config, given)
    channels = math.prod(kernel[2:])
    variables: dict[str, Shape] = {"kernel": kernel}
    if config.use_bias:
        variables["bias"] = (channels,)
    output = (*places, channels)
    return planned(config, given, output, variables, uses_mask=False, rows=math.prod(places))


def separable_conv2d(config: sections.SeparableConv2dLayer, given: Given) -> PlannedLayer:
    """DataError where the input is no picture, or smaller than a window."""
    places, kernel = _depthwise(config, given)
    variables: dict[str, Shape] = {
        "depthwise_kernel": kernel,
        "pointwise_kernel": (1, 1, math.prod(kernel[2:]), config.filters),
    }
    if config.use_bias:
        variables["bias"] = (config.filters,)
    output = (*places, config.filters)
    return planned(config, given, output, variables, uses_mask=False, rows=math.prod(places))


def _depthwise(
    config: sections.DepthwiseConv2dLayer | sections.SeparableConv2dLayer, given: Given
) -> tuple[Shape, Shape]:
    """How many windows there are, and the kernel."""
    *_, channels = height_width_channels(config, given)
    sizes, strides = both(config.kernel_size), both(config.strides)
    places = windows_over(config, given, sizes, strides, argument="kernel_size")
    return places, (*sizes, channels, config.depth_multiplier)
