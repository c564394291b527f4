"""Layers in which the steps of a sequence see each other, or know where they are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Initializer, Rate, Units


class MultiHeadAttentionLayer(Section):
    """Self-attention: each head softmax(q · kᵀ/√key_dim) · v, joined by a product (Vaswani et al. 2017)."""

    type: Literal["multi_head_attention"]
    num_heads: Annotated[int, Field(ge=1, le=1024)]
    key_dim: Units = Field(description="Size of a head's queries and keys.")
    value_dim: Units | None = Field(default=None, description="Of its values; null: as key_dim.")
    dropout: Rate = Field(default=0.0, description="Of the weights that a step gives to others.")
    use_bias: bool = True
    use_causal_mask: bool = Field(
        default=False, description="Whether a step sees only itself and those before."
    )
    kernel_initializer: Initializer = "glorot_uniform"


class PositionalEmbeddingLayer(Section):
    """Adds a learnt vector for each step's place to a sequence (steps, features); uniform at first."""

    type: Literal["positional_embedding"]
