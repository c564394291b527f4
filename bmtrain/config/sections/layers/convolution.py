"""Convolutions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Activation, Initializer, Units


class Conv1dLayer(Section):
    """activation(Σ over a window of x · kernel + bias); kernel (kernel_size, inputs, filters)."""

    type: Literal["conv1d"]
    filters: Units = Field(description="Number of outputs at each step.")
    kernel_size: Annotated[int, Field(ge=1, le=10_000)] = Field(description="Steps in a window.")
    strides: Annotated[int, Field(ge=1, le=10_000)] = 1
    padding: Literal["valid", "same", "causal"] = "valid"
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"
