"""Dense products, activations and shapes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Activation, Units, UseBias
from bmtrain.config.sections.layers.initializers import MatrixInitializer, VectorInitializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer


class DenseLayer(Section):
    """activation(x · kernel + bias); kernel (inputs, units), bias (units,)."""

    type: Literal["dense"]
    units: Units = Field(description="Number of outputs.")
    activation: Activation = "linear"
    use_bias: UseBias = True
    kernel_initializer: MatrixInitializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None


class ActivationLayer(Section):
    """An activation on its own."""

    type: Literal["activation"]
    activation: Activation


class FlattenLayer(Section):
    """One vector per example."""

    type: Literal["flatten"]


class ReshapeLayer(Section):
    """Another shape per example, the same number of values; one entry may be -1."""

    type: Literal["reshape"]
    target_shape: tuple[Annotated[int, Field(ge=-1)], ...] = Field(
        min_length=1, max_length=8, description="Sizes; -1 is what is left."
    )
