"""What layers inside of a functional model are called: once in the whole model, and by what they are."""

from __future__ import annotations

from typing import Final

import keras

from bmtrain.models.initial_weights import Place

_OF: Final = "_of_"


def inner_name(role: str, place: Place) -> str:
    """``layers_0_of_3`` for the role ``layers.0`` in the layer at place 3."""
    return f"{role}{_OF}{place}".replace(".", "_")


def role_of(layer: keras.layers.Layer) -> str:
    """``layers.0`` again; "" for a layer that has no role."""
    role, of, _ = layer.name.partition(_OF)
    return role.replace("_", ".") if of else ""


def inner_layer(layer: keras.layers.Layer, role: str) -> keras.layers.Layer | None:
    """The layer of that role in a functional model; None: there is none, or it is no such model."""
    if not isinstance(layer, keras.Model):
        return None
    return next((inner for inner in layer.layers if role_of(inner) == role), None)
