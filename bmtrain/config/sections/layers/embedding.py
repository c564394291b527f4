"""Vectors for tokens."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Units
from bmtrain.config.sections.layers.initializers import Initializer
from bmtrain.config.sections.layers.kernels import OwnConstraint, OwnRegularizer


class EmbeddingLayer(Section):
    """A learnt vector for each token; embeddings (input_dim, output_dim)."""

    type: Literal["embedding"]
    output_dim: Units = Field(description="Size of a token's vector.")
    input_dim: Units | None = Field(
        default=None, description="Number of tokens; without it that of the vocabulary."
    )
    mask_zero: bool = Field(
        default=False, description="Whether the layers behind pass over padding (token 0)."
    )
    embeddings_initializer: Initializer = "random_uniform"
    embeddings_regularizer: OwnRegularizer = None
    embeddings_constraint: OwnConstraint = None
