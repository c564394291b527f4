"""Embedding whose gradient is one product."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from bmtrain.models.initial_weights import Place

#: Entries of the one-hot matrix, float32, at most: a gigabyte.
_MAX_ENTRIES = 2**28


def has_room(layer: keras.layers.Embedding, inputs: tf.Tensor) -> bool:
    """Whether the one-hot matrix of the batch's tokens stays small."""
    num_tokens = math.prod(size or 1 for size in inputs.shape)  # None: not known yet
    return num_tokens * int(layer.input_dim) <= _MAX_ENTRIES


def embedding(
    layer: keras.layers.Embedding, inputs: tf.Tensor, seed: int, position: Place, step: tf.Tensor
) -> tf.Tensor:
    """The tokens' rows; their gradients are added up by a product with the one-hot tokens.

    Added up at the tokens' indices, in an order that is always the same, they would go one
    after the other on a GPU.
    """
    del seed, position, step  # nothing is random

    @tf.custom_gradient
    def rows(table: tf.Tensor) -> tuple[tf.Tensor, Any]:
        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            one_hot = tf.one_hot(tf.reshape(inputs, [-1]), layer.input_dim, dtype=table.dtype)
            flat = tf.reshape(upstream, (-1, layer.output_dim))
            return tf.matmul(one_hot, flat, transpose_a=True)

        return tf.gather(table, inputs), gradient

    return rows(tf.cast(layer.embeddings.value, layer.compute_dtype))
