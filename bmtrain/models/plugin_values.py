"""A plugin's losses, metrics and augmentations: what its functions give, held against what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from bmtrain.config.plugin_tables import LossEntry, MetricEntry, called
from bmtrain.errors import PluginError

#: (targets or labels, outputs) -> (batch,) float32
PerExample = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def plugin_loss(entry: LossEntry, config: Any) -> PerExample:
    """The loss of each example that the plugin's builder makes of a config."""
    return _one_each(entry.builder(config), called(entry))


def plugin_metric(entry: MetricEntry) -> PerExample:
    """The metric's value of each example."""
    return _one_each(entry.per_example, called(entry))


def _one_each(function: Any, what: str) -> PerExample:
    if not callable(function):
        raise PluginError(
            f"{what}: expected a function of (targets, outputs), got {function!r:.100}"
        )

    def per_example(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        values = tf.cast(tf.convert_to_tensor(function(targets, outputs)), tf.float32)
        if values.shape.rank != 1 or not values.shape.is_compatible_with(outputs.shape[:1]):
            raise PluginError(
                f"{what}: expected a value for each example, shape {[outputs.shape[0]]}, got "
                f"{values.shape.as_list()}",
                hint="the mean over outputs, keras.ops.mean(…, axis=-1), is one",
            )
        return values

    return per_example


def added_metrics(metrics: Mapping[str, MetricEntry]) -> dict[str, tuple[PerExample, Any]]:
    """Those that are means over examples: their values, and what becomes of the mean."""
    return {
        name: (plugin_metric(entry), entry.finish)
        for name, entry in metrics.items()
        if entry.per_example is not None
    }


def of_same_shape(function: Callable[..., Any], what: str) -> Callable[[Any, tf.Tensor, Any], Any]:
    """An augmentation's, which must leave shape and dtype of the examples as they are."""

    def varied(item: Any, examples: tf.Tensor, draws: Any) -> tf.Tensor:
        result = tf.convert_to_tensor(function(item, examples, draws))
        is_same = result.shape.is_compatible_with(examples.shape)
        if not is_same or result.dtype != examples.dtype:
            raise PluginError(
                f"{what} gives {result.dtype.name} {result.shape.as_list()}, expected "
                f"{examples.dtype.name} {examples.shape.as_list()}, as it got"
            )
        return result

    return varied
