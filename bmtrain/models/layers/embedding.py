"""Vectors for tokens."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.models.initial_weights import Place, initializer
from bmtrain.models.layers.kernels import own_terms


def embedding(config: EmbeddingLayer, seed: int, position: Place) -> keras.layers.Layer:
    """``input_dim`` is there: a planned layer's follows from the data."""
    assert config.input_dim is not None
    return keras.layers.Embedding(
        config.input_dim,
        config.output_dim,
        mask_zero=config.mask_zero,
        embeddings_initializer=initializer(
            config.embeddings_initializer, seed, "embeddings", position
        ),
        **own_terms(config, "embeddings", axes=[1]),
    )
