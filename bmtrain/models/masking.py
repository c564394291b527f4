"""Masks of padding, handed from layer to layer as ``keras.Sequential`` does."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import keras
import tensorflow as tf

from bmtrain.models.initial_weights import Place
from bmtrain.models.layers.composite import is_residual, path_in

#: (layer, inputs, mask, place) -> outputs
Call = Callable[[keras.layers.Layer, tf.Tensor, tf.Tensor | None, Place], tf.Tensor]
#: A tensor and its mask (batch, steps), False where a step is padding; None: there is none.
Masked = tuple[tf.Tensor, tf.Tensor | None]
#: (block, its computation, inputs) -> what the computation gives of the inputs
CallBlock = Callable[[keras.Model, Callable[[tf.Tensor], Masked], tf.Tensor], Masked]


def through_layers(
    layers: Sequence[keras.layers.Layer],
    inputs: tf.Tensor,
    call: Call,
    *,
    call_block: CallBlock = lambda block, compute, inputs: compute(inputs),
    mask: tf.Tensor | None = None,
    inside: str = "",
) -> Masked:
    """Outputs and mask behind the last layer; ``call`` computes each that is not made of layers."""
    for position, layer in enumerate(layers):
        place: Place = f"{inside}{position}" if inside else position
        if is_residual(layer):
            compute = partial(
                _residual, layer, mask=mask, place=place, call=call, call_block=call_block
            )
            inputs, mask = call_block(layer, compute, inputs)
        else:
            outputs = call(layer, inputs, mask, place)
            inputs, mask = outputs, _mask_after(layer, inputs, mask)
    return inputs, mask


def _residual(
    layer: keras.Model,
    inputs: tf.Tensor,
    *,
    mask: tf.Tensor | None,
    place: Place,
    call: Call,
    call_block: CallBlock,
) -> Masked:
    """The sum of both paths, in the layer's compute dtype as Keras's Add."""
    (one, mask_of_one), (other, mask_of_other) = (
        through_layers(
            path_in(layer, path),
            inputs,
            call,
            call_block=call_block,
            mask=mask,
            inside=f"{place}.{path}.",
        )
        for path in ("layers", "shortcut")
    )
    outputs = tf.cast(one, layer.compute_dtype) + tf.cast(other, layer.compute_dtype)
    return outputs, None if mask_of_one is None else mask_of_other


def plain_layers(layers: Sequence[keras.layers.Layer]) -> Iterator[keras.layers.Layer]:
    """Those that ``through_layers`` calls."""
    for layer in layers:
        if is_residual(layer):
            for path in ("layers", "shortcut"):
                yield from plain_layers(path_in(layer, path))
        else:
            yield layer


def call_layer(
    layer: keras.layers.Layer, inputs: tf.Tensor, mask: tf.Tensor | None, *, training: bool
) -> tf.Tensor:
    """The layer's outputs; it gets the mask.

    A layer that knows of no mask takes all steps, as in Keras, and nothing is said of it here:
    ``bmtrain.models.doubts`` does.
    """
    if mask is not None and "mask" in inspect.signature(layer.call).parameters:
        return layer(inputs, mask=mask, training=training)
    # Keras keeps a mask with the tensor, too, and warns of the layer that it is lost to.
    return layer(inputs if mask is None else tf.identity(inputs), training=training)


def _mask_after(
    layer: keras.layers.Layer, inputs: tf.Tensor, mask: tf.Tensor | None
) -> tf.Tensor | None:
    if isinstance(layer, keras.Model):
        return mask
    return layer.compute_mask(inputs, mask) if layer.supports_masking else None
