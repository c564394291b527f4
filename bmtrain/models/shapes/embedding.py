"""Vectors for tokens."""

from __future__ import annotations

import math
from dataclasses import replace

from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.config.sections.layers.union import Layer
from bmtrain.errors import DataError
from bmtrain.models.shapes.planned import Given, PlannedLayer, planned


def embedding(config: EmbeddingLayer, given: Given) -> PlannedLayer:
    """DataError where it has fewer vectors than the vocabulary has tokens."""
    num_tokens = given.facts.vocabulary_size
    assert num_tokens is not None  # without tokens it is refused
    num_vectors = config.input_dim or num_tokens
    if num_vectors < num_tokens:
        raise DataError(
            f"{given.name} (embedding) has vectors for {num_vectors:,} tokens, the vocabulary has "
            f"{num_tokens:,}",
            key=(*given.key, "input_dim"),
            hint="leave input_dim out: it follows from the data",
        )
    output = (*given.shape, config.output_dim)
    layer = planned(
        config.model_copy(update={"input_dim": num_vectors}),
        given,
        output,
        {"embeddings": (num_vectors, config.output_dim)},
        kept_values=math.prod(output),
    )
    return replace(layer, hands_mask_on=config.mask_zero)


def check_tokens(config: Layer, given: Given) -> None:
    """DataError where tokens meet another layer than an embedding, or this one something else."""
    what = f"{given.name} ({config.type})"
    is_embedding = isinstance(config, EmbeddingLayer)
    has_tokens = given.facts.vocabulary_size is not None and given.is_first
    if is_embedding and not has_tokens:
        raise DataError(
            f"{what} takes the tokens of texts, and its input has none",
            key=given.key,
            hint="it is the first layer of a model for data.text",
        )
    if has_tokens and not is_embedding:
        raise DataError(
            f"{what} would take the numbers of tokens for quantities",
            key=given.key,
            hint="let the first layer be {type: embedding, output_dim: 32}",
        )
