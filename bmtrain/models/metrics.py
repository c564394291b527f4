"""The closed table of metrics: a value per example, and what becomes of their mean.

A metric's figure is ``finish(mean over examples of per_example)``, so running
sums in the compiled loop and whole-split evaluation are one definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from bmtrain.config.sections.metrics import RUNNING, top_k

#: (labels, outputs) -> (batch,) float32
PerExample = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True, slots=True)
class Metric:
    """``per_example`` over raw labels and the model's outputs; ``finish`` over the mean."""

    per_example: PerExample
    finish: Callable[[float], float] = float


def predicted_class(outputs: tf.Tensor, *, threshold: float) -> tf.Tensor:
    """Class numbers (batch,) int32: the largest output, or one output against ``threshold``."""
    if outputs.shape[-1] == 1:
        return tf.cast(outputs[:, 0] > threshold, tf.int32)
    return tf.argmax(outputs, axis=-1, output_type=tf.int32)


def _accuracy(threshold: float) -> PerExample:
    def per_example(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        return tf.cast(predicted_class(outputs, threshold=threshold) == labels, tf.float32)

    return per_example


def _top_k_accuracy(k: int) -> PerExample:
    """1 where fewer than k outputs are larger than the label's."""

    def per_example(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        of_label = tf.gather(outputs, labels, batch_dims=1)
        num_larger = tf.reduce_sum(tf.cast(outputs > of_label[:, None], tf.int32), axis=-1)
        return tf.cast(num_larger < k, tf.float32)

    return per_example


def _squared_error(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(outputs - labels), axis=-1)


def _absolute_error(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.abs(outputs - labels), axis=-1)


def build_metrics(names: tuple[str, ...], *, threshold: float) -> dict[str, Metric]:
    """Those that are means over examples by name, in the config's order.

    Args:
        threshold: above which a single output means the second class: 0.5 for
            a probability, 0 for a logit.
    """
    table = {
        "accuracy": Metric(_accuracy(threshold)),
        "mean_squared_error": Metric(_squared_error),
        "root_mean_squared_error": Metric(_squared_error, finish=math.sqrt),
        "mean_absolute_error": Metric(_absolute_error),
    }
    for name in names:
        if (k := top_k(name)) is not None:
            table[name] = Metric(_top_k_accuracy(k))
    return {name: table[name] for name in names if name in RUNNING}
