"""Self-attention whose dropout is a pure function of (seed, layer, step)."""

from __future__ import annotations

from typing import Final

import keras
import tensorflow as tf

from bmtrain.engine.lowerings.regularizing import dropped
from bmtrain.models.layers.attention import own_variables

#: What a weight that must be nothing is lowered by before the softmax.
FAR_BELOW: Final = -1e9


def self_attention(
    attention: keras.layers.MultiHeadAttention,
    inputs: tf.Tensor,
    allowed: tf.Tensor | None,
    key: tf.Tensor,
) -> tf.Tensor:
    """attention(x, x) in training, as ``keras.layers.MultiHeadAttention`` computes it.

    Args:
        inputs: (batch, steps, width), in the layer's compute dtype.
        allowed: as ``who_sees_whom`` gives it.
        key: what the dropout is drawn by.
    """
    weights = own_variables(attention)

    def product(name: str, equation: str, values: tf.Tensor) -> tf.Tensor:
        dtype = values.dtype
        made = tf.einsum(equation, values, tf.cast(weights[f"{name}.kernel"].value, dtype))
        bias = weights.get(f"{name}.bias")
        return made if bias is None else made + tf.cast(bias.value, dtype)

    query, keys, value = (
        tf.transpose(product(name, "bsw,whd->bshd", inputs), (0, 2, 1, 3))
        for name in ("query", "key", "value")
    )
    scores = tf.matmul(query * attention.key_dim**-0.5, keys, transpose_b=True)
    scores = tf.cast(scores, tf.float32)  # for the sum of the softmax, in every precision
    if allowed is not None:
        scores = tf.where(allowed, scores, FAR_BELOW)
    shares = tf.cast(tf.nn.softmax(scores, axis=-1), value.dtype)
    shares = dropped(shares, attention.dropout, tf.shape(shares), key)
    seen = tf.matmul(shares, value)
    return product("attention_output", "bhsd,hdw->bsw", seen)


def who_sees_whom(mask: tf.Tensor | None, steps: int, *, is_causal: bool) -> tf.Tensor | None:
    """(batch or 1, 1, steps or 1, steps) of booleans; None: everyone sees all.

    ``mask``: (batch, steps), False where a step is padding; None: there is none.
    """
    allowed = None if mask is None else mask[:, None, None, :]
    if not is_causal:
        return allowed
    before = tf.range(steps)[:, None] >= tf.range(steps)[None, :]
    return before[None, None] if allowed is None else tf.logical_and(before[None, None], allowed)
