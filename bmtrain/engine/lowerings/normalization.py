"""Normalisation over the features, with a gradient of its own."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from bmtrain.engine.lowerings.products import column_sums, has_rows, plus
from bmtrain.models.initial_weights import Place


def is_over_features(layer: keras.layers.LayerNormalization, inputs: tf.Tensor) -> bool:
    """Whether each row is normalised, and there are many of them."""
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    return axes in ([-1], [len(inputs.shape) - 1]) and has_rows(layer, inputs)


def layer_normalization(
    layer: keras.layers.LayerNormalization,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
) -> tf.Tensor:
    """(x − mean) / √(variance + ε) · gamma + beta, mean and variance of each row."""
    del seed, position, step  # nothing is random
    outputs = _normalized(inputs, layer.epsilon)
    if layer.scale:
        outputs = _times(outputs, tf.convert_to_tensor(layer.gamma.value))
    return plus(outputs, tf.convert_to_tensor(layer.beta.value)) if layer.center else outputs


def _normalized(inputs: tf.Tensor, epsilon: float) -> tf.Tensor:
    """Of n = (x − mean) / s, s = √(variance + ε): dx = (dn − mean(dn) − n · mean(dn · n)) / s."""

    @tf.custom_gradient
    def normalized(inputs: tf.Tensor) -> tuple[tf.Tensor, Any]:
        centred = inputs - _row_means(inputs)
        scale = tf.math.rsqrt(_row_means(tf.square(centred)) + epsilon)
        outputs = centred * scale

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            along = _row_means(upstream * outputs)
            return (upstream - _row_means(upstream) - outputs * along) * scale

        return outputs, gradient

    return normalized(inputs)


@tf.custom_gradient
def _times(values: tf.Tensor, gamma: tf.Tensor) -> tuple[tf.Tensor, Any]:
    return values * gamma, lambda upstream: (upstream * gamma, column_sums(upstream * values))


def _row_means(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(values, axis=-1, keepdims=True)
