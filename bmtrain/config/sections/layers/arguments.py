"""What arguments of several layers have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Activation = Literal[
    "linear",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "exponential",
    "softmax",
    "log_softmax",
]
#: Of a recurrent layer: what every format that exports know has under one name.
RecurrentActivation = Literal["tanh", "relu", "sigmoid"]
Initializer = Literal[
    "zeros",
    "ones",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
]
Units = Annotated[int, Field(ge=1, le=1_000_000)]
Rate = Annotated[float, Field(ge=0, lt=1)]
#: Of a window along an axis, in steps or pixels.
Extent = Annotated[int, Field(ge=1, le=1_000_000)]
#: Height and width; one number is both.
Extents = Extent | Annotated[tuple[Extent, ...], Field(min_length=2, max_length=2)]
Padding = Literal["valid", "same"]
Epsilon = Annotated[float, Field(gt=0)]
