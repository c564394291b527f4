"""The closed table from loss names to the loss of each example.

A data loss maps (targets, outputs) to one float32 per example, shape (batch,);
its mean over the batch is ``loss``. ``targets`` come from ``encode_targets``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from bmtrain.config.plugin_tables import LossEntry
from bmtrain.config.sections import loss as sections
from bmtrain.models.plugin_values import PerExample, plugin_loss


def half_mean_squared_error(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """½·Σ (h(x) − y)² over outputs; its mean over m examples is (1/2m)·Σ(h(x) − y)²."""
    return 0.5 * tf.reduce_sum(tf.square(outputs - targets), axis=-1)


def _crossentropy(function: Callable[..., tf.Tensor]) -> Callable[[Any], PerExample]:
    def build(config: Any) -> PerExample:
        def loss(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
            return function(
                targets,
                outputs,
                from_logits=config.from_logits,
                label_smoothing=config.label_smoothing,
            )

        return loss

    return build


def _sparse_crossentropy(config: sections.SparseCategoricalCrossentropy) -> PerExample:
    """That of one-hot targets, which Keras smooths alone.

    The gradient of picking an output for each example would be added up at its index: in an
    order that is always the same, a GPU does that for one example after the other.
    """
    of_one_hot = _crossentropy(keras.losses.categorical_crossentropy)(config)

    def loss(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return of_one_hot(tf.one_hot(targets, outputs.shape[-1], dtype=outputs.dtype), outputs)

    return loss


def _huber(config: sections.Huber) -> PerExample:
    def loss(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return keras.losses.huber(targets, outputs, delta=config.delta)

    return loss


#: name -> builder(config) -> per-example loss
LOSSES: dict[str, Callable[[Any], PerExample]] = {
    "sparse_categorical_crossentropy": _sparse_crossentropy,
    "categorical_crossentropy": _crossentropy(keras.losses.categorical_crossentropy),
    "binary_crossentropy": _crossentropy(keras.losses.binary_crossentropy),
    "mean_squared_error": lambda config: keras.losses.mean_squared_error,
    "mean_absolute_error": lambda config: keras.losses.mean_absolute_error,
    "huber": _huber,
    "half_mean_squared_error": lambda config: half_mean_squared_error,
}


def build_loss(config: sections.Loss, added: Mapping[str, LossEntry] | None = None) -> PerExample:
    """The loss of each example, from the closed table, or from what plugins added."""
    entry = (added or {}).get(config.name)
    return LOSSES[config.name](config) if entry is None else plugin_loss(entry, config)


def encode_targets(labels: tf.Tensor, *, loss_name: str, num_classes: int | None) -> tf.Tensor:
    """Labels as the loss wants them.

    Class numbers (batch,) stay for the sparse loss, become (batch, 1) float32
    for the binary one and one-hot (batch, num_classes) for all others;
    regression targets (batch, outputs) stay (``num_classes`` None).
    """
    if num_classes is None or loss_name == "sparse_categorical_crossentropy":
        return labels
    if loss_name == "binary_crossentropy":
        return tf.cast(labels[:, None], tf.float32)
    return tf.one_hot(labels, num_classes, dtype=tf.float32)
