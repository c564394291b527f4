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


class EmbeddingLayer(Section):
    """A learnt vector for each token; embeddings (input_dim, output_dim), uniform at first."""

    type: Literal["embedding"]
    output_dim: Units = Field(description="Size of a token's vector.")
    input_dim: Units | None = Field(
        default=None, description="Number of tokens; without it that of the vocabulary."
    )
    mask_zero: bool = Field(
        default=False, description="Whether the layers behind pass over padding (token 0)."
    )


class RecurrentSection(Section):
    """What recurrent layers have in common."""

    type: Literal["simple_rnn", "lstm", "gru"]
    units: Units = Field(description="Number of outputs.")
    activation: RecurrentActivation = "tanh"
    use_bias: bool = True
    return_sequences: bool = Field(
        default=False, description="The output of each step instead of the last one."
    )
    kernel_initializer: Initializer = "glorot_uniform"


class SimpleRnnLayer(RecurrentSection):
    """h ← activation(x · kernel + h · recurrent_kernel + bias), step by step."""

    type: Literal["simple_rnn"]


class LstmLayer(RecurrentSection):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), as Keras computes it."""

    type: Literal["lstm"]


class GruLayer(RecurrentSection):
    """Gated recurrent unit (Cho et al. 2014); the reset comes after the product, as in Keras."""

    type: Literal["gru"]


RecurrentLayer = Annotated[
    SimpleRnnLayer | LstmLayer | GruLayer,
    Field(discriminator="type"),
]


class BidirectionalLayer(Section):
    """A recurrent layer over the sequence and another one over it backwards."""

    type: Literal["bidirectional"]
    layer: RecurrentLayer
    merge_mode: Literal["concat", "sum", "mul", "ave"] = Field(
        default="concat", description="What is made of both outputs."
    )


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


class GlobalAveragePooling1dLayer(Section):
    """The mean over the steps of a sequence, but for masked ones."""

    type: Literal["global_average_pooling1d"]


class GlobalMaxPooling1dLayer(Section):
    """The largest value over the steps of a sequence; it knows of no mask."""

    type: Literal["global_max_pooling1d"]


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
    | ReshapeLayer
    | EmbeddingLayer
    | SimpleRnnLayer
    | LstmLayer
    | GruLayer
    | BidirectionalLayer
    | Conv1dLayer
    | GlobalAveragePooling1dLayer
    | GlobalMaxPooling1dLayer,
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
