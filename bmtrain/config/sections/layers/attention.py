"""Layers in which the steps of a sequence see each other, or know where they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Heads, Rate, Units, UseBias
from bmtrain.config.sections.layers.initializers import Initializer, VectorInitializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer


class MultiHeadAttentionLayer(Section):
    """Self-attention: each head softmax(q · kᵀ/√key_dim) · v, joined by a product (Vaswani et al. 2017)."""

    type: Literal["multi_head_attention"]
    num_heads: Heads = Field(description="How often, each for itself.")
    key_dim: Units = Field(description="Size of a head's queries and keys.")
    value_dim: Units | None = Field(default=None, description="Of its values; null: as key_dim.")
    dropout: Rate = Field(default=0.0, description="Of the weights that a step gives to others.")
    use_bias: UseBias = True
    use_causal_mask: bool = Field(
        default=False, description="Whether a step sees only itself and those before."
    )
    kernel_initializer: Initializer = "glorot_uniform"
    bias_initializer: VectorInitializer = "zeros"
    kernel_regularizer: OwnRegularizer = None
    kernel_constraint: OwnConstraint = None


class PositionalEmbeddingLayer(Section):
    """Adds a learnt vector for each step's place to a sequence (steps, features)."""

    type: Literal["positional_embedding"]
    embeddings_initializer: Initializer = "random_uniform"
