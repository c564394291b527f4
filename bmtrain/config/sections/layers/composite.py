"""Layers that are made of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Activation, Epsilon, Heads, Rate, Units
from bmtrain.config.sections.layers.initializers import Initializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer

if TYPE_CHECKING:
    from bmtrain.config.sections.layers.union import Layer


REMAT = (
    "Gradient checkpointing: what the block computes is not kept for the gradient but computed "
    "again, which takes about a third more arithmetic and far less memory."
)


class ResidualLayer(Section):
    """layers(x) + shortcut(x); without a shortcut layers(x) + x (He et al. 2016)."""

    type: Literal["residual"]
    layers: tuple[Layer, ...] = Field(
        min_length=1, max_length=100, description="In the order in which x passes them."
    )
    shortcut: tuple[Layer, ...] = Field(
        default=(), max_length=100, description="What x passes beside them; empty: nothing."
    )
    remat: bool = Field(default=False, description=REMAT)


class TransformerBlockLayer(Section):
    """Self-attention, then two dense layers, each with a residual (Vaswani et al. 2017).

    For a sequence (steps, width); stands for plain layers: with ``normalize_first``
    x + dropout(attention(norm(x))), then x + dropout(dense(dense(norm(x)))); without it
    norm(x + dropout(attention(x))), and so on.
    """

    type: Literal["transformer_block"]
    num_heads: Heads = Field(description="They divide the width.")
    intermediate_dim: Units = Field(description="Units of the first of both dense layers.")
    dropout: Rate = Field(
        default=0.0, description="Of what each residual adds, and of the attention's weights."
    )
    activation: Activation = "gelu"
    layer_norm_epsilon: Epsilon = 1e-5
    normalize_first: bool = Field(
        default=True, description="Whether each part normalises its input, not what it has added."
    )
    use_causal_mask: bool = Field(
        default=False, description="Whether a step sees only itself and those before."
    )
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None
    remat: bool = Field(default=False, description=REMAT)


class PatchEmbeddingLayer(Section):
    """A vector for each square of a picture, row by row (Dosovitskiy et al. 2021).

    Stands for a convolution whose stride is its kernel's size, and a reshape to (patches, width).
    """

    type: Literal["patch_embedding"]
    patch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Its side in pixels; it divides the picture's sides."
    )
    output_dim: Units = Field(description="Size of a patch's vector.")
    kernel_initializer: Initializer = "glorot_uniform"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None
