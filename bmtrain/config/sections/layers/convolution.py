"""Convolutions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import (
    Activation,
    Extent,
    Extents,
    Padding,
    Units,
    UseBias,
)
from bmtrain.config.sections.layers.initializers import Initializer, VectorInitializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer

_STEPS_PER_WINDOW = "Steps in a window."
_FILTERS = "Number of outputs at each step."
_STEPS = "From one window to the next."

CausalPadding = Annotated[
    Literal["valid", "same", "causal"],
    Field(
        description="valid: windows lie inside; same: zeros around; causal: zeros before, so that "
        "no step sees a later one."
    ),
]


class Conv1dLayer(Section):
    """activation(Σ over a window of x · kernel + bias); kernel (kernel_size, inputs, filters)."""

    type: Literal["conv1d"]
    filters: Units = Field(description=_FILTERS)
    kernel_size: Extent = Field(description=_STEPS_PER_WINDOW)
    strides: Extent = Field(default=1, description=_STEPS)
    padding: CausalPadding = "valid"
    dilation_rate: Extent = Field(
        default=1, description="Steps from one value of a window to the next."
    )
    activation: Activation = "linear"
    use_bias: UseBias = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None


class Conv2dLayer(Section):
    """activation(Σ over a window of x · kernel + bias); kernel (height, width, channels, filters)."""

    type: Literal["conv2d"]
    filters: Units = Field(description="Number of outputs at each place.")
    kernel_size: Extents = Field(description="Height and width of a window; one number is both.")
    strides: Extents = Field(
        default=1, description="From one window to the next, down and across; one number is both."
    )
    padding: Padding = "valid"
    dilation_rate: Extents = Field(
        default=1, description="Pixels from one value of a window to the next."
    )
    activation: Activation = "linear"
    use_bias: UseBias = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None


class DepthwiseConv1dLayer(Section):
    """Convolution of each feature for itself; kernel (kernel_size, features, depth_multiplier)."""

    type: Literal["depthwise_conv1d"]
    kernel_size: Extent = Field(description=_STEPS_PER_WINDOW)
    strides: Extent = Field(default=1, description=_STEPS)
    padding: Padding = "valid"
    depth_multiplier: Units = Field(default=1, description="Outputs of each feature.")
    activation: Activation = "linear"
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    depthwise_regularizer: OwnRegularizer = None
    depthwise_constraint: OwnConstraint = None


class SeparableConv1dLayer(Section):
    """A convolution of each feature for itself, then one of all features with kernels of 1.

    depthwise_kernel (kernel_size, features, depth_multiplier), pointwise_kernel
    (1, features · depth_multiplier, filters); the activation and bias come last.
    """

    type: Literal["separable_conv1d"]
    filters: Units = Field(description=_FILTERS)
    kernel_size: Extent = Field(description=_STEPS_PER_WINDOW)
    strides: Extent = Field(default=1, description=_STEPS)
    padding: Padding = "valid"
    depth_multiplier: Units = Field(default=1, description="Of the first convolution.")
    activation: Activation = "linear"
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    depthwise_regularizer: OwnRegularizer = None
    depthwise_constraint: OwnConstraint = None
    pointwise_regularizer: OwnRegularizer = None
    pointwise_constraint: OwnConstraint = None


class DepthwiseConv2dLayer(Section):
    """Convolution of each channel for itself; kernel (height, width, channels, depth_multiplier)."""

    type: Literal["depthwise_conv2d"]
    kernel_size: Extents = Field(description="Height and width of a window; one number is both.")
    strides: Extent = Field(default=1, description="In both directions.")
    padding: Padding = "valid"
    depth_multiplier: Units = Field(default=1, description="Outputs of each channel.")
    activation: Activation = "linear"
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    depthwise_regularizer: OwnRegularizer = None
    depthwise_constraint: OwnConstraint = None


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
    use_bias: UseBias = True
    depthwise_initializer: Initializer = "glorot_uniform"
    pointwise_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    depthwise_regularizer: OwnRegularizer = None
    depthwise_constraint: OwnConstraint = None
    pointwise_regularizer: OwnRegularizer = None
    pointwise_constraint: OwnConstraint = None
