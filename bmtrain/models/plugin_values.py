"""A plugin's losses, metrics and augmentations: what its functions give, held against what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from bmtrain.config.plugin_signatures import fault_in, given_by, misfit
from bmtrain.config.plugin_tables import LossEntry, MetricEntry, called
from bmtrain.errors import PluginError

#: (targets or labels, outputs) -> (batch,) float32
PerExample = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def plugin_loss(entry: LossEntry, config: Any) -> PerExample:
    """The loss of each example that the plugin's builder makes of a config."""
    what = called(entry)
    loss = given_by(f"{what}: its builder", entry.builder, config)
    if not callable(loss):
        message = f"{what}: expected a function of (targets, outputs), got {loss!r:.100}"
        raise fault_in(entry.builder, message)
    if (told := misfit(loss, ("targets", "outputs"))) is not None:
        raise fault_in(loss, f"{what}: the function that its builder gives {told}")
    return _one_each(loss, what)


def plugin_metric(entry: MetricEntry) -> PerExample:
    """The metric's value of each example."""
    return _one_each(entry.per_example, called(entry))


def _one_each(function: Any, what: str) -> PerExample:
    def per_example(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        given = given_by(what, function, targets, outputs)
        values = tf.cast(tensor_of(given, what, function), tf.float32)
        if values.shape.rank != 1 or not values.shape.is_compatible_with(outputs.shape[:1]):
            raise fault_in(
                function,
                f"{what}: expected a value for each example, shape {[outputs.shape[0]]}, got "
                f"{values.shape.as_list()}",
                hint="the mean over outputs, keras.ops.mean(…, axis=-1), is one",
            )
        return values

    return per_example


def _figure(entry: MetricEntry) -> Callable[[float], float]:
    what = f"{called(entry)}: finish"

    def figure(mean: float) -> float:
        value = given_by(what, entry.finish, mean)
        if np.ndim(value) != 0 or not isinstance(value, int | float | np.number):
            raise fault_in(entry.finish, f"{what}: expected a number, got {value!r:.100}")
        return float(value)

    return figure


def tensor_of(value: Any, what: str, function: Any) -> tf.Tensor:
    """What a plugin's function gives, as a tensor."""
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        message = f"{what}: expected a tensor, got {value!r:.100}"
        raise fault_in(function, message) from error


def added_metrics(metrics: Mapping[str, MetricEntry]) -> dict[str, tuple[PerExample, Any]]:
    """Those that are means over examples: their values, and what becomes of the mean."""
    return {
        name: (plugin_metric(entry), _figure(entry))
        for name, entry in metrics.items()
        if entry.per_example is not None
    }


def of_same_shape(function: Callable[..., Any], what: str) -> Callable[[Any, tf.Tensor, Any], Any]:
    """An augmentation's, which must leave shape and dtype of the examples as they are."""

    def varied(item: Any, examples: tf.Tensor, draws: Any) -> tf.Tensor:
        result = tensor_of(given_by(what, function, item, examples, draws), what, function)
        is_same = result.shape.is_compatible_with(examples.shape)
        if not is_same or result.dtype != examples.dtype:
            raise PluginError(
                f"{what} gives {result.dtype.name} {result.shape.as_list()}, expected "
                f"{examples.dtype.name} {examples.shape.as_list()}, as it got"
            )
        return result

    return varied
