"""Vectors for tokens."""

from __future__ import annotations

import keras

from bmtrain.config.sections.layers.embedding import EmbeddingLayer
from bmtrain.models.initial_weights import Place, derived_seed

#: Of a vector's values at first, as in Keras: uniform from minus this to this.
EMBEDDING_LIMIT = 0.05


def embedding(config: EmbeddingLayer, seed: int, position: Place) -> keras.layers.Layer:
    """``input_dim`` is there: a planned layer's follows from the data."""
    assert config.input_dim is not None
    return keras.layers.Embedding(
        config.input_dim,
        config.output_dim,
        mask_zero=config.mask_zero,
        embeddings_initializer=keras.initializers.RandomUniform(
            -EMBEDDING_LIMIT, EMBEDDING_LIMIT, seed=derived_seed(seed, "embeddings", position)
        ),
    )
