"""A recurrent layer in both directions, by the lowerings of its layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import keras
import tensorflow as tf

from bmtrain.engine.lowerings.gru import gru, is_plain_gru
from bmtrain.engine.lowerings.lstm import is_plain_lstm, lstm
from bmtrain.models.initial_weights import Place


class _Direction(NamedTuple):
    compute: Callable[..., tf.Tensor]
    fits: Callable[[keras.layers.RNN, tf.Tensor], bool]


_DIRECTIONS: Final[dict[type[keras.layers.RNN], _Direction]] = {
    keras.layers.LSTM: _Direction(lstm, is_plain_lstm),
    keras.layers.GRU: _Direction(gru, is_plain_gru),
}


def is_plain_bidirectional(layer: keras.layers.Bidirectional, inputs: tf.Tensor) -> bool:
    """Whether both directions have a lowering that fits."""
    return all(
        type(one) in _DIRECTIONS and _DIRECTIONS[type(one)].fits(one, inputs)
        for one in (layer.forward_layer, layer.backward_layer)
    )


def bidirectional(
    layer: keras.layers.Bidirectional,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """What both directions give, merged."""
    one, other = (
        _DIRECTIONS[type(direction)].compute(direction, inputs, seed, position, step, mask)
        for direction in (layer.forward_layer, layer.backward_layer)
    )
    if layer.return_sequences:
        other = tf.reverse(other, [1])
    match layer.merge_mode:
        case "concat":
            return tf.concat([one, other], axis=-1)
        case "sum":
            return one + other
        case "ave":
            return (one + other) / 2
        case _:
            return one * other
