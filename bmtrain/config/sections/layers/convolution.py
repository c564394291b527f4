"""Convolutions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import (
    Activation,
    Extent,
    Extents,
    Initializer,
    Padding,
    Units,
)
from bmtrain.config.sections.layers.kernels import KernelConstraint, KernelRegularizer


class Conv1dLayer(Section):
    """activation(Σ over a window of x · kernel + bias); kernel (kernel_size, inputs, filters)."""

    type: Literal["conv1d"]
    filters: Units = Field(description="Number of outputs at each step.")
    kernel_size: Extent = Field(description="Steps in a window.")
    strides: Extent = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: KernelRegularizer | None = None
    kernel_constraint: KernelConstraint | None = None


class Conv2dLayer(Section):
    """activation(Σ over a window of x · kernel + bias); kernel (height, width, channels, filters)."""

    type: Literal["conv2d"]
    filters: Units = Field(description="Number of outputs at each place.")
    kernel_size: Extents = Field(description="Height and width of a window; one number is both.")
    strides: Extents = 1
    padding: Padding = "valid"
    dilation_rate: Extents = Field(
        default=1, description="Pixels from one value of a window to the next."
    )
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    kernel_regularizer: KernelRegularizer | None = None
    kernel_constraint: KernelConstraint | None = None


class DepthwiseConv2dLayer(Section):
    """Convolution of each channel for itself; kernel (height, width, channels, depth_multiplier)."""

    type: Literal["depthwise_conv2d"]
    kernel_size: Extents = Field(description="Height and width of a window; one number is both.")
    strides: Extent = Field(default=1, description="In both directions.")
    padding: Padding = "valid"
    depth_multiplier: Units = Field(default=1, description="Outputs of each channel.")
    activation: Activation = "linear"
    use_bias: bool = True
    depthwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: KernelRegularizer | None = None
    depthwise_constraint: KernelConstraint | None = None


class SeparableConv2dLayer(Section):
    """A convolution of each channel for itself, then one of all channels with kernels of 1 × 1.

    depthwise_kernel (height, width, channels, depth_multiplier), pointwise_kernel
    (1, 1, channels · depth_multiplier, filters); the activation and bias come last.
    """

    type: Literal["separable_conv2d"]
    filters: Units = Field(description="Number of outputs at each place.")
    kernel_size: Extents = Field(description="Height and width of a window; one number is both.")
    strides: Extent = Field(default=1, description="In both directions.")
    padding: Padding = "valid"
    depth_multiplier: Units = Field(default=1, description="Of the first convolution.")
    activation: Activation = "linear"
    use_bias: bool = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
    depthwise_regularizer: KernelRegularizer | None = None
    depthwise_constraint: KernelConstraint | None = None
    pointwise_regularizer: KernelRegularizer | None = None
    pointwise_constraint: KernelConstraint | None = None
