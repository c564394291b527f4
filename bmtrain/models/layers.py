"""The closed table from layer types to Keras layers, with seeded initial weights."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from bmtrain.config.sections import model as sections
from bmtrain.models import sequence_layers
from bmtrain.models.architecture import Architecture
from bmtrain.models.initial_weights import derived_seed, initializer


def _dense(config: sections.DenseLayer, seed: int, position: int) -> keras.layers.Layer:
    return keras.layers.Dense(
        config.units,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
    )


def _batch_normalization(
    config: sections.BatchNormalizationLayer, seed: int, position: int
) -> keras.layers.Layer:
    return keras.layers.BatchNormalization(
        momentum=config.momentum,
        epsilon=config.epsilon,
        center=config.center,
        scale=config.scale,
    )


def _layer_normalization(
    config: sections.LayerNormalizationLayer, seed: int, position: int
) -> keras.layers.Layer:
    return keras.layers.LayerNormalization(
        epsilon=config.epsilon, center=config.center, scale=config.scale
    )


#: type -> builder(config, seed, position). Positions count all layers from 0.
LAYERS: dict[str, Callable[[Any, int, int], keras.layers.Layer]] = {
    "dense": _dense,
    "activation": lambda config, seed, position: keras.layers.Activation(config.activation),
    "dropout": lambda config, seed, position: keras.layers.Dropout(
        config.rate, seed=derived_seed(seed, "dropout", position)
    ),
    "batch_normalization": _batch_normalization,
    "layer_normalization": _layer_normalization,
    "flatten": lambda config, seed, position: keras.layers.Flatten(),
    "reshape": lambda config, seed, position: keras.layers.Reshape(config.target_shape),
    "embedding": sequence_layers.embedding,
    "simple_rnn": sequence_layers.recurrent,
    "lstm": sequence_layers.recurrent,
    "gru": sequence_layers.recurrent,
    "bidirectional": sequence_layers.bidirectional,
    "conv1d": sequence_layers.conv1d,
    "global_average_pooling1d": lambda config, seed, position: (
        keras.layers.GlobalAveragePooling1D()
    ),
    "global_max_pooling1d": lambda config, seed, position: keras.layers.GlobalMaxPooling1D(),
}


def build_model(architecture: Architecture, *, seed: int) -> keras.Sequential:
    """The plain Keras model, its weights drawn from ``seed``: the same on every call.

    Input (batch, *input_shape), already preprocessed: float32, or int32 tokens.
    """
    layers = [
        LAYERS[layer.config.type](layer.config, seed, position)
        for position, layer in enumerate(architecture.layers)
    ]
    dtype = "int32" if architecture.takes_tokens else "float32"
    with building(len(layers)):
        return keras.Sequential([keras.Input(architecture.input_shape, dtype=dtype), *layers])


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
    names = [variable.name for variable in layer.variables]
    if isinstance(layer, keras.layers.Bidirectional):
        names = sequence_layers.bidirectional_names(layer)
    return [
        (name, variable)
        for name, variable in zip(names, layer.variables, strict=True)
        if not name.endswith("seed_generator_state")
    ]
