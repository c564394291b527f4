"""What arguments of several layers have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Activation = Annotated[
    Literal[
        "linear",
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "sigmoid",
        "hard_sigmoid",
        "log_sigmoid",
        "sparse_sigmoid",
        "tanh",
        "hard_tanh",
        "tanh_shrink",
        "softplus",
        "sparse_plus",
        "squareplus",
        "softsign",
        "soft_shrink",
        "hard_shrink",
        "hard_silu",
        "exponential",
        "softmax",
        "log_softmax",
    ],
    Field(description="What is made of each output; linear: nothing."),
]
#: Of a recurrent layer: what every format that exports know has under one name.
RecurrentActivation = Annotated[
    Literal["tanh", "relu", "sigmoid"], Field(description="What is made of each new state.")
]
Units = Annotated[int, Field(ge=1, le=1_000_000)]
Rate = Annotated[float, Field(ge=0, lt=1)]
#: Of a window along an axis, in steps or pixels.
Extent = Annotated[int, Field(ge=1, le=1_000_000)]
#: Height and width; one number is both.
Extents = Extent | Annotated[tuple[Extent, ...], Field(min_length=2, max_length=2)]
Heads = Annotated[int, Field(ge=1, le=1024)]
Padding = Annotated[
    Literal["valid", "same"],
    Field(
        description="valid: windows lie inside; same: zeros around, so that with strides of 1 as "
        "many come out as went in."
    ),
]
UseBias = Annotated[bool, Field(description="Whether a learnt number is added to each output.")]
Epsilon = Annotated[float, Field(gt=0, description="Added where a division by 0 would threaten.")]
Center = Annotated[bool, Field(description="Whether a learnt number is added to each feature.")]
Scale = Annotated[bool, Field(description="Whether each feature is multiplied by a learnt number.")]
