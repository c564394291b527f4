"""Masks of padding, handed from layer to layer as ``keras.Sequential`` does."""

from __future__ import annotations

import inspect

import keras
import tensorflow as tf


def call_layer(
    layer: keras.layers.Layer, inputs: tf.Tensor, mask: tf.Tensor | None, *, training: bool
) -> tf.Tensor:
    """The layer's outputs; it gets the mask (batch, steps), False where a step is padding.

    A layer that knows of no mask takes all steps, as in Keras, and nothing is said of it here:
    ``bmtrain.models.doubts`` does.
    """
    if mask is not None and "mask" in inspect.signature(layer.call).parameters:
        return layer(inputs, mask=mask, training=training)
    # Keras keeps a mask with the tensor, too, and warns of the layer that it is lost to.
    return layer(inputs if mask is None else tf.identity(inputs), training=training)


def mask_after(
    layer: keras.layers.Layer, inputs: tf.Tensor, mask: tf.Tensor | None
) -> tf.Tensor | None:
    """The mask of the layer's outputs, None where there is none."""
    return layer.compute_mask(inputs, mask) if layer.supports_masking else None
