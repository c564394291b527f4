"""The Keras model of an architecture, and its variables by name."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import keras

from bmtrain.config.sections.training import Precision
from bmtrain.models.architecture import Architecture
from bmtrain.models.initial_weights import Place
from bmtrain.models.layers import attention, composite, plugin_layers
from bmtrain.models.layers.inner_names import role_of
from bmtrain.models.layers.recurrent import bidirectional_names
from bmtrain.models.layers.table import LAYERS, MODELS
from bmtrain.models.shapes.planned import PlannedLayer


def build_model(
    architecture: Architecture, *, seed: int, precision: Precision = "float32"
) -> keras.Sequential:
    """The plain Keras model, its weights drawn from ``seed``: the same on every call.

    Input (batch, *input_shape), already preprocessed: float32, or int32 tokens. Weights and
    outputs are float32 in every precision: the last layer always computes in float32.
    """
    dtype = "int32" if architecture.takes_tokens else "float32"
    last = len(architecture.layers) - 1
    with building(len(architecture.layers)):
        layers = []
        for position, layer in enumerate(architecture.layers):
            with computing_in("float32" if position == last else precision):
                layers.append(build_layer(layer, seed, position))
        return keras.Sequential([keras.Input(architecture.input_shape, dtype=dtype), *layers])


def build_layer(layer: PlannedLayer, seed: int, place: Place) -> keras.layers.Layer:
    """One layer at ``place``; what is made of layers is a functional model."""
    if layer.plugin is not None:
        return plugin_layers.plugin_layer(layer, seed, place)
    if layer.config.type == "residual":
        return composite.residual(layer, seed, place, build_layer)
    if (build := MODELS.get(layer.config.type)) is not None:
        return build(layer, seed, place)
    return LAYERS[layer.config.type](layer.config, seed, place)


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Layers that are made inside have this policy of Keras's."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


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
    if (planned := plugin_layers.planned_of(layer)) is not None:
        return plugin_layers.named(layer, planned)
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
