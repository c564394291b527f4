"""Layers that are made of layers, as small functional models."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import keras

from bmtrain.models.initial_weights import Place
from bmtrain.models.layers.inner_names import inner_layer, inner_name, role_of
from bmtrain.models.shapes.planned import PlannedLayer

Build = Callable[[PlannedLayer, int, Place], keras.layers.Layer]

_SUM: Final = "sum"


def residual(layer: PlannedLayer, seed: int, place: Place, build: Build) -> keras.Model:
    """layers(x) + shortcut(x)."""
    inputs = keras.Input(layer.input_shape)
    ends = {"layers": inputs, "shortcut": inputs}
    for name, inner in layer.inner.items():
        path = name.partition(".")[0]
        built = build(inner, seed, f"{place}.{name}")
        built.name = inner_name(name, place)
        ends[path] = built(ends[path])
    model = keras.Model(inputs, keras.layers.Add(name=inner_name(_SUM, place))(list(ends.values())))
    assert layer.config.type == "residual"
    model.remat = layer.config.remat
    model.supports_masking = layer.hands_mask_on or not layer.is_masked
    return model


def is_residual(layer: keras.layers.Layer) -> bool:
    """Whether ``residual`` made it."""
    return inner_layer(layer, _SUM) is not None


def path_in(layer: keras.Model, path: str) -> list[keras.layers.Layer]:
    """The layers of one path, ``layers`` or ``shortcut``, in their order."""
    own = {role_of(inner): inner for inner in layer.layers}
    found = itertools.takewhile(own.__contains__, (f"{path}.{at}" for at in itertools.count()))
    return [own[role] for role in found]
