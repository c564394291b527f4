"""A model without models in it, and masks as arguments: what Keras keeps of both in a file."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras

from bmtrain.models.layers.attention import attention_in, places_in, with_places
from bmtrain.models.layers.composite import is_residual, path_in

#: A KerasTensor; a mask is one, or None.
Tensor = Any
Mask = Any


def flattened(model: keras.Sequential) -> keras.Model:
    """The same layers with the same weights; the model itself if all its layers are plain.

    A sum with something that has no mask has none in Keras, so each layer is told it.
    """
    if not any(isinstance(layer, keras.Model) for layer in model.layers):
        return model
    inputs = keras.Input(model.input_shape[1:], dtype=model.inputs[0].dtype, name="inputs")
    outputs, _ = _through(model.layers, inputs, None)
    return keras.Model(inputs, outputs)


def _through(layers: Sequence[keras.layers.Layer], x: Tensor, mask: Mask) -> tuple[Tensor, Mask]:
    for layer in layers:
        if is_residual(layer):
            ends = [_through(path_in(layer, path), x, mask) for path in ("layers", "shortcut")]
            x = keras.layers.Add()([end for end, _ in ends])
            mask = None if any(told is None for _, told in ends) else mask
        elif (attention := attention_in(layer)) is not None:
            masks = {} if mask is None else {"query_mask": mask, "value_mask": mask}
            x = attention(x, x, use_causal_mask=layer.use_causal_mask, **masks)
        elif (embedding := places_in(layer)) is not None:
            x = with_places(embedding, x)
        else:
            takes_mask = mask is not None and "mask" in inspect.signature(layer.call).parameters
            outputs = layer(x, mask=mask) if takes_mask else layer(x)
            mask = layer.compute_mask(x, mask) if layer.supports_masking else None
            x = outputs
    return x, mask
