"""How a layer's weights begin: a name, with Keras's options, or ``{name: random_normal, stddev: 0.02}``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section

_Positive = Annotated[float, Field(gt=0)]

_WithoutOptions = Literal[
    "zeros",
    "ones",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
]
_Name = Literal[
    _WithoutOptions, "random_normal", "truncated_normal", "random_uniform", "variance_scaling"
]


class PlainInitializer(Section):
    """One that has no options: with a variance that suits the activation and the shape, or a number.

    glorot: 2/(inputs + outputs), he: 2/inputs, lecun: 1/inputs; normal is truncated.
    """

    name: _WithoutOptions


class ConstantInitializer(Section):
    """One number everywhere."""

    name: Literal["constant"]
    value: float = Field(default=0.0, description="The number.")


class NormalInitializer(Section):
    """From N(mean, stddev²); truncated_normal draws again what is two deviations and more away."""

    name: Literal["random_normal", "truncated_normal"]
    mean: float = Field(default=0.0, description="The distribution's mean.")
    stddev: _Positive = Field(default=0.05, description="Its standard deviation, > 0.")


class UniformInitializer(Section):
    """Evenly between two numbers."""

    name: Literal["random_uniform"]
    minval: float = Field(default=-0.05, description="The least.")
    maxval: float = Field(default=0.05, description="The most; larger than minval.")


class VarianceScalingInitializer(Section):
    """With the variance scale/n, n by ``mode``: how many inputs, outputs, or their mean."""

    name: Literal["variance_scaling"]
    scale: _Positive = Field(default=1.0, description="2 before relu (He et al. 2015).")
    mode: Literal["fan_in", "fan_out", "fan_avg"] = Field(
        default="fan_in", description="n: the inputs, the outputs, or the mean of both."
    )
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = Field(
        default="truncated_normal", description="Of that variance, mean 0."
    )


class OrthogonalInitializer(Section):
    """A random matrix of orthogonal rows or columns, whichever are fewer (Saxe et al. 2014)."""

    name: Literal["orthogonal"]
    gain: _Positive = Field(default=1.0, description="What the matrix is multiplied by.")


class IdentityInitializer(Section):
    """1 where row and column are equal, else 0."""

    name: Literal["identity"]
    gain: float = Field(default=1.0, description="What the matrix is multiplied by.")


_AnyOf = (
    PlainInitializer
    | ConstantInitializer
    | NormalInitializer
    | UniformInitializer
    | VarianceScalingInitializer
)

_BEGIN = "How it begins: a name, or {name: random_normal, stddev: 0.02}, with Keras's options."

#: Of a bias, or of what a normalisation multiplies by: as many numbers as there are outputs.
VectorInitializer = Annotated[
    _Name | Annotated[_AnyOf, Field(discriminator="name")], Field(description=_BEGIN)
]
#: Of a kernel of any number of axes, and of vectors for tokens.
Initializer = Annotated[
    Literal[_Name, "orthogonal"]
    | Annotated[_AnyOf | OrthogonalInitializer, Field(discriminator="name")],
    Field(description=_BEGIN),
]
#: Of a kernel of two axes.
MatrixInitializer = Annotated[
    Literal[_Name, "orthogonal", "identity"]
    | Annotated[_AnyOf | OrthogonalInitializer | IdentityInitializer, Field(discriminator="name")],
    Field(description=_BEGIN),
]
