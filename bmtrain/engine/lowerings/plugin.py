"""A plugin's layer in a training step, where the plugin computes that itself."""

from __future__ import annotations

import keras
import tensorflow as tf

from bmtrain.config.plugin_signatures import given_by
from bmtrain.config.plugin_tables import called
from bmtrain.errors import PluginError
from bmtrain.models.initial_weights import Place
from bmtrain.models.plugin_values import tensor_of
from bmtrain.models.shapes.planned import PlannedLayer


def plugin_in_training(  # what a lowering gets, and what was planned
    layer: keras.layers.Layer,
    planned: PlannedLayer,
    inputs: tf.Tensor,
    seed: int,
    place: Place,
    step: tf.Tensor,
) -> tf.Tensor:
    """What ``in_training`` gives.

    Raises:
        PluginError: another shape than planned.
    """
    entry = planned.plugin
    assert entry is not None
    assert entry.in_training is not None
    what = f"layer {place}: in_training of {called(entry)}"
    given = given_by(what, entry.in_training, layer, inputs, seed, place, step)
    outputs = tensor_of(given, what, entry.in_training)
    if outputs.shape[1:].as_list() != list(planned.output_shape):
        raise PluginError(
            f"{what} gives "
            f"{outputs.shape[1:].as_list()} per example, expected {list(planned.output_shape)}"
        )
    return outputs
