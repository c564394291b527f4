"""The Keras model of an architecture, and its variables by name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from bmtrain.models.architecture import Architecture
from bmtrain.models.initial_weights import Place
from bmtrain.models.layers import attention, composite
from bmtrain.models.layers.inner_names import role_of
from bmtrain.models.layers.recurrent import bidirectional_names
from bmtrain.models.layers.table import LAYERS, MODELS
from bmtrain.models.shapes.planned import PlannedLayer


def build_model(architecture: Architecture, *, seed: int) -> keras.Sequential:
    """The plain Keras model, its weights drawn from ``seed``: the same on every call.

    Input (batch, *input_shape), already preprocessed: float32, or int32 tokens.
    """
    dtype = "int32" if architecture.takes_tokens else "float32"
    with building(len(architecture.layers)):
        layers = [
            build_layer(layer, seed, position) for position, layer in enumerate(architecture.layers)
        ]
        return keras.Sequential([keras.Input(architecture.input_shape, dtype=dtype), *layers])


def build_layer(layer: PlannedLayer, seed: int, place: Place) -> keras.layers.Layer:
    """One layer at ``place``; what is made of layers is a functional model."""
    if layer.config.type == "residual":
        return composite.residual(layer, seed, place, build_layer)
    if (build := MODELS.get(layer.config.type)) is not None:
        return build(layer, seed, place)
    return LAYERS[layer.config.type](layer.config, seed, place)


@contextmanager
def building(num_layers: int) -> Iterator[None]:
    """Inside: Keras goes from layer to layer by recursion, and says nothing of forgotten masks.

    By recursion it goes a thousand calls at most; of masks ``bmtrain.models.doubts`` tells.
    """
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 10 * num_layers)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="(?s).*does not support masking")
            yield
    finally:
        sys.setrecursionlimit(limit)


def named_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Every saved variable by position: ``layers.1.kernel``, ``layers.2.forward.kernel``.

    Keras's own paths change with the process (``dense_1``, then ``dense_2``).
    Seed generators are left out: what is random is a pure function of
    (seed, layer, step) here.
    """
    return {
        f"layers.{position}.{name}": variable
        for position, layer in enumerate(model.layers)
        for name, variable in _own_variables(layer)
    }


def _own_variables(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    if isinstance(layer, keras.Model):
        return [pair for inner in layer.layers for pair in _inner_variables(inner)]
    names = [variable.name for variable in layer.variables]
    if isinstance(layer, keras.layers.Bidirectional):
        names = bidirectional_names(layer)
    return [
        (name, variable)
        for name, variable in zip(names, layer.variables, strict=True)
        if not name.endswith("seed_generator_state")
    ]


def _inner_variables(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    """Of a layer in a functional model: ``layers.0.kernel``, or the model's own."""
    if attention.is_own(layer):
        return list(attention.own_variables(layer).items())
    return [(f"{role_of(layer)}.{name}", variable) for name, variable in _own_variables(layer)]
