"""``model:`` plain layers, or a preset that expands to plain layers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section

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
Epsilon = Annotated[float, Field(gt=0)]


class DenseLayer(Section):
    """activation(x · kernel + bias); kernel (inputs, units), bias (units,)."""

    type: Literal["dense"]
    units: Units = Field(description="Number of outputs.")
    activation: Activation = "linear"
    use_bias: bool = True
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: Initializer = "zeros"


class ActivationLayer(Section):
    """An activation on its own."""

    type: Literal["activation"]
    activation: Activation


class DropoutLayer(Section):
    """Zeroes each input with probability ``rate`` in training and scales the rest by 1/(1−rate)."""

    type: Literal["dropout"]
    rate: Rate = Field(description="Probability that an input is zeroed, 0 ≤ rate < 1.")


class BatchNormalizationLayer(Section):
    """Normalises each feature over the batch (Ioffe & Szegedy 2015), last axis."""

    type: Literal["batch_normalization"]
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.99, description="Of the moving statistics used at evaluation."
    )
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True


class LayerNormalizationLayer(Section):
    """Normalises each example over its last axis (Ba et al. 2016)."""

    type: Literal["layer_normalization"]
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True


class FlattenLayer(Section):
    """One vector per example."""

    type: Literal["flatten"]


class ReshapeLayer(Section):
    """Another shape per example, the same number of values; one entry may be -1."""

    type: Literal["reshape"]
    target_shape: tuple[Annotated[int, Field(ge=-1)], ...] = Field(min_length=1, max_length=8)


Layer = Annotated[
    DenseLayer
    | ActivationLayer
    | DropoutLayer
    | BatchNormalizationLayer
    | LayerNormalizationLayer
    | FlattenLayer
    | ReshapeLayer,
    Field(discriminator="type"),
]


class LayersModel(Section):
    """Layers in the order in which the data passes them."""

    type: Literal["layers"] = "layers"
    layers: tuple[Layer, ...] = Field(min_length=1, max_length=1000)


class MlpModel(Section):
    """A multi-layer perceptron: flatten, hidden dense layers, and the output the data asks for.

    The output layer has one unit per class (softmax), one unit under binary
    cross-entropy (sigmoid), or one per target (linear); with ``from_logits``
    its activation is linear.
    """

    type: Literal["mlp"]
    hidden: tuple[Units, ...] = Field(max_length=1000, description="Units of each hidden layer.")
    activation: Activation = "relu"
    dropout: Rate = Field(default=0.0, description="After each hidden layer; 0 means none.")
    batch_normalization: bool = Field(
        default=False, description="Between each hidden layer and its activation."
    )


Model = Annotated[LayersModel | MlpModel, Field(discriminator="type")]
