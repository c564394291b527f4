"""Layers that go through a sequence step by step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Initializer, RecurrentActivation, Units


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
