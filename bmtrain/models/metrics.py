"""The closed table of metrics: a value per example, and what becomes of their mean.

A metric's figure is ``finish(mean over examples of per_example)``, so running
sums in the compiled loop and whole-split evaluation are one definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import tensorflow as tf

from bmtrain.config.plugin_tables import MetricEntry
from bmtrain.config.sections.metrics import is_running, top_k
from bmtrain.errors import PluginError
from bmtrain.models.plugin_values import PerExample, added_metrics

#: What scikit-learn keeps a float32 probability from 0 and 1 by.
FLOAT32_EPSILON: Final = float(np.finfo(np.float32).eps)
#: What Keras divides by at least.
_SMALLEST_TARGET: Final = 1e-7


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


def _percentage_error(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """In percent, as Keras's; a target counts as 1e-7 at least."""
    sizes = tf.maximum(tf.abs(labels), _SMALLEST_TARGET)
    return 100.0 * tf.reduce_mean(tf.abs(outputs - labels) / sizes, axis=-1)


def _probabilities(outputs: tf.Tensor, *, takes_logits: bool) -> tf.Tensor:
    """(batch, classes); a single output is about the second class."""
    if outputs.shape[-1] == 1:
        second = tf.sigmoid(outputs) if takes_logits else outputs
        return tf.concat([1.0 - second, second], axis=-1)
    return tf.nn.softmax(outputs) if takes_logits else outputs


def _log_loss(takes_logits: bool) -> PerExample:
    """−log p(label), p no nearer to 0 and 1 than float32's epsilon, their sum 1."""

    def per_example(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        probabilities = _probabilities(outputs, takes_logits=takes_logits)
        clipped = tf.clip_by_value(probabilities, FLOAT32_EPSILON, 1.0 - FLOAT32_EPSILON)
        of_label = tf.gather(clipped, labels, batch_dims=1)
        return tf.math.log(tf.reduce_sum(clipped, axis=-1)) - tf.math.log(of_label)

    return per_example


def _brier_score(takes_logits: bool) -> PerExample:
    """Two classes: (p − t)² of the second; more: Σ (p_k − t_k)² (Brier 1950)."""

    def per_example(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        probabilities = _probabilities(outputs, takes_logits=takes_logits)
        num_classes = probabilities.shape[-1]
        squares = tf.square(probabilities - tf.one_hot(labels, num_classes))
        return squares[:, 1] if num_classes == 2 else tf.reduce_sum(squares, axis=-1)

    return per_example


def build_metrics(
    names: tuple[str, ...],
    *,
    takes_logits: bool,
    added: Mapping[str, MetricEntry] | None = None,
) -> dict[str, Metric]:
    """Those that are means over examples by name, in the config's order.

    Args:
        takes_logits: whether the outputs are logits; else they are probabilities, or numbers.
        added: what plugins add to the table.
    """
    table = {
        "accuracy": Metric(_accuracy(0.0 if takes_logits else 0.5)),
        "log_loss": Metric(_log_loss(takes_logits)),
        "brier_score": Metric(_brier_score(takes_logits)),
        "mean_squared_error": Metric(_squared_error),
        "root_mean_squared_error": Metric(_squared_error, finish=math.sqrt),
        "mean_absolute_error": Metric(_absolute_error),
        "mean_absolute_percentage_error": Metric(_percentage_error),
    }
    for name in names:
        if (k := top_k(name)) is not None:
            table[name] = Metric(_top_k_accuracy(k))
    own = set(added or {})
    for name, (per_example, finish) in added_metrics(added or {}).items():
        table[name] = Metric(per_example, _finished(name, finish))
    return {
        name: table[name] for name in names if name in table and (name in own or is_running(name))
    }


def _finished(name: str, finish: Callable[[float], Any]) -> Callable[[float], float]:
    def finished(mean: float) -> float:
        figure = finish(mean)
        if not isinstance(figure, int | float):
            got = type(figure).__name__
            raise PluginError(f"the metric '{name}': finish: expected a number, got {got}")
        return float(figure)

    return finished
