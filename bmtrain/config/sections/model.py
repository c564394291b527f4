"""``model:`` plain layers, or a preset that expands to plain layers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Activation, Extents, Rate, Units
from bmtrain.config.sections.layers.union import Layer


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


class CnnModel(Section):
    """A small convolutional network for pictures, and the output that the data asks for.

    For each entry of ``filters`` a convolution (``padding: same``) and a maximum over windows of
    2 × 2; then flatten, the hidden dense layers, and the output layer of an ``mlp``. A grey
    picture without an axis of channels gets one.
    """

    type: Literal["cnn"]
    filters: tuple[Units, ...] = Field(
        min_length=1, max_length=100, description="Of each convolution; each halves the picture."
    )
    kernel_size: Extents = Field(
        default=3, description="Height and width of the windows; one number is both."
    )
    dense: tuple[Units, ...] = Field(
        default=(), max_length=1000, description="Units of each hidden dense layer."
    )
    activation: Activation = "relu"
    dropout: Rate = Field(default=0.0, description="Before each dense layer; 0 means none.")
    batch_normalization: bool = Field(
        default=False, description="Between each convolution and its activation."
    )


Model = Annotated[LayersModel | MlpModel | CnnModel, Field(discriminator="type")]
