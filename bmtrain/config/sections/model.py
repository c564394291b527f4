"""``model:`` plain layers, or a preset that expands to plain layers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Activation, Extents, Rate, Units
from bmtrain.config.sections.layers.composite import REMAT
from bmtrain.config.sections.layers.union import Layer


class LayersModel(Section):
    """Layers in the order in which the data passes them."""

    type: Literal["layers"] = "layers"
    layers: tuple[Layer, ...] = Field(
        min_length=1, max_length=1000, description="Each a mapping with its type: {type: dense, …}."
    )


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


Width = Annotated[int, Field(ge=1, le=1_000_000, description="Values of each step.")]
NumLayers = Annotated[int, Field(ge=1, le=500, description="How many, one behind the other.")]
BlockDropout = Annotated[
    Rate, Field(description="After the places, and in each block; 0 means none.")
]


class LstmModel(Section):
    """Recurrent layers over a sequence and the output the data asks for.

    Texts pass an embedding first, and padding is passed over.
    """

    type: Literal["lstm"]
    units: Units = Field(default=64, description="Of each layer and direction.")
    num_layers: NumLayers = 1
    bidirectional: bool = Field(
        default=False, description="Whether each layer also goes over the sequence backwards."
    )
    embedding_dim: Width = Field(default=64, description="Size of a token's vector, of texts.")
    dropout: Rate = Field(default=0.0, description="After each layer; 0 means none.")


class TransformerModel(Section):
    """An encoder (Vaswani et al. 2017), its mean over the steps, and the output the data asks for.

    Texts pass an embedding first, other sequences a dense layer; then places are added.
    """

    type: Literal["transformer"]
    width: Width = 64
    num_layers: NumLayers = 2
    num_heads: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=4, description="They divide the width."
    )
    intermediate_dim: Units | None = Field(default=None, description="null: 4 times the width.")
    dropout: BlockDropout = 0.1
    remat: bool = Field(default=False, description=REMAT)


class VitModel(Section):
    """A vision transformer (Dosovitskiy et al. 2021): patches, places, blocks, their mean, the output.

    A picture without channels gets one.
    """

    type: Literal["vit"]
    patch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Side of a patch in pixels; it divides the picture's sides."
    )
    width: Width = 64
    num_layers: NumLayers = 4
    num_heads: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=4, description="They divide the width."
    )
    intermediate_dim: Units | None = Field(default=None, description="null: 4 times the width.")
    dropout: BlockDropout = 0.1
    remat: bool = Field(default=False, description=REMAT)


class ResnetModel(Section):
    """Residual blocks of two convolutions (He et al. 2016), their mean, the output.

    Each stage but the first halves the picture. A picture without channels gets one.
    """

    type: Literal["resnet"]
    filters: tuple[Units, ...] = Field(
        default=(16, 32, 64), min_length=1, max_length=10, description="Of each stage."
    )
    blocks: Annotated[int, Field(ge=1, le=50)] = Field(default=1, description="In each stage.")
    remat: bool = Field(default=False, description=REMAT)


Model = Annotated[
    LayersModel | MlpModel | CnnModel | LstmModel | TransformerModel | VitModel | ResnetModel,
    Field(discriminator="type"),
]
