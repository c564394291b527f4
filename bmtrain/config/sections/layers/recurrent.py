"""Layers that go through a sequence step by step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import RecurrentActivation, Units, UseBias
from bmtrain.config.sections.layers.initializers import MatrixInitializer, VectorInitializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer


class RecurrentSection(Section):
    """What recurrent layers have in common."""

    type: Literal["simple_rnn", "lstm", "gru"]
    units: Units = Field(description="Number of outputs.")
    activation: RecurrentActivation = "tanh"
    use_bias: UseBias = True
    return_sequences: bool = Field(
        default=False, description="The output of each step instead of the last one."
    )
    kernel_initializer: MatrixInitializer = "glorot_uniform"
    recurrent_initializer: MatrixInitializer = "orthogonal"
    bias_initializer: VectorInitializer = "zeros"
    kernel_regularizer: OwnRegularizer = None
    recurrent_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None
    recurrent_constraint: OwnConstraint = None


class SimpleRnnLayer(RecurrentSection):
    """h ← activation(x · kernel + h · recurrent_kernel + bias), step by step."""

    type: Literal["simple_rnn"]


class LstmLayer(RecurrentSection):
    """Long short-term memory (Hochreiter & Schmidhuber 1997), as Keras computes it."""

    type: Literal["lstm"]
    unit_forget_bias: bool = Field(
        default=True, description="Whether the forget gate's bias is 1 at first."
    )


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
    layer: RecurrentLayer = Field(description="The one over the sequence; both begin otherwise.")
    merge_mode: Literal["concat", "sum", "mul", "ave"] = Field(
        default="concat", description="What is made of both outputs."
    )
