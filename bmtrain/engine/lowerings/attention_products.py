"""Self-attention as XLA is fast at it on a processor: products of rows, and a gradient of its own."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bmtrain.engine.lowerings.attention import FAR_BELOW
from bmtrain.engine.lowerings.products import of_heads, plus, several
from bmtrain.engine.lowerings.regularizing import kept_factors
from bmtrain.models.layers.attention import own_variables


def self_attention_by_products(
    attention: keras.layers.MultiHeadAttention,
    inputs: tf.Tensor,
    allowed: tf.Tensor | None,
    key: tf.Tensor,
) -> tf.Tensor:
    """As ``attention.self_attention``, of the same arguments."""
    weights = own_variables(attention)
    steps, heads = inputs.shape[1], attention.num_heads
    names = ("query", "key", "value")

    def kernel(name: str, features: int) -> tf.Tensor:
        value = tf.cast(weights[f"{name}.kernel"].value, inputs.dtype)
        return tf.reshape(value, (features, -1))

    def with_bias(name: str, rows: tf.Tensor) -> tf.Tensor:
        if (bias := weights.get(f"{name}.bias")) is None:
            return rows
        return plus(rows, tf.reshape(tf.cast(bias.value, rows.dtype), (-1,)))

    def by_head(name: str, rows: tf.Tensor) -> tf.Tensor:
        outputs = tf.reshape(with_bias(name, rows), (-1, steps, heads, rows.shape[-1] // heads))
        return tf.transpose(outputs, (0, 2, 1, 3))

    projected = several(inputs, *(kernel(name, inputs.shape[-1]) for name in names))
    query, keys, value = map(by_head, names, projected)
    shape = [inputs.shape[0] or tf.shape(inputs)[0], heads, steps, steps]
    factors = kept_factors(shape, attention.dropout, key)
    seen = _seen(query, keys, value, allowed, factors)
    rows = of_heads(seen, kernel("attention_output", heads * attention.value_dim))
    return tf.reshape(with_bias("attention_output", rows), (-1, steps, rows.shape[-1]))


def _seen(
    query: tf.Tensor,
    keys: tf.Tensor,
    value: tf.Tensor,
    allowed: tf.Tensor | None,
    factors: tf.Tensor | None,
) -> tf.Tensor:
    """(softmax(query · keysᵀ / √dim) ∘ factors) · value, all (batch, heads, steps, dim).

    With P the softmax, F the factors and Y what is seen, dS = P ∘ (F ∘ (dY · Vᵀ) − rows(dY ∘ Y)),
    rows being sums over a row: Y is narrower than P.
    """
    scale = query.shape[-1] ** -0.5

    @tf.custom_gradient
    def seen(query: tf.Tensor, keys: tf.Tensor, value: tf.Tensor) -> tuple[tf.Tensor, Any]:
        scores = tf.cast(tf.matmul(query, keys, transpose_b=True), tf.float32)
        if allowed is not None:
            scores = tf.where(allowed, scores, FAR_BELOW)
        powers = tf.exp(scale * (scores - tf.reduce_max(scores, axis=-1, keepdims=True)))
        per_sum = 1 / tf.reduce_sum(powers, axis=-1, keepdims=True)
        kept = powers * per_sum if factors is None else powers * factors * per_sum
        kept = tf.cast(kept, value.dtype)
        outputs = tf.matmul(kept, value)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            d_shares = tf.cast(tf.matmul(upstream, value, transpose_b=True), tf.float32)
            if factors is not None:
                d_shares *= factors
            along = tf.cast(upstream * outputs, tf.float32)
            along = tf.reduce_sum(along, axis=-1, keepdims=True)
            d_scores = powers * (d_shares - along) * (per_sum * scale)
            if allowed is not None:
                d_scores = tf.where(allowed, d_scores, 0.0)
            d_scores = tf.cast(d_scores, query.dtype)
            return (
                tf.matmul(d_scores, keys),
                tf.matmul(d_scores, query, transpose_a=True),
                tf.matmul(kept, upstream, transpose_a=True),
            )

        return outputs, gradient

    return seen(query, keys, value)
