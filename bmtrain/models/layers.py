"""The closed table from layer types to Keras layers, with seeded initial weights."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from bmtrain.config.sections import model as sections
from bmtrain.models.architecture import Architecture

INITIALIZERS: dict[str, Callable[[int], keras.initializers.Initializer]] = {
    "zeros": lambda seed: keras.initializers.Zeros(),
    "ones": lambda seed: keras.initializers.Ones(),
    "glorot_uniform": keras.initializers.GlorotUniform,
    "glorot_normal": keras.initializers.GlorotNormal,
    "he_uniform": keras.initializers.HeUniform,
    "he_normal": keras.initializers.HeNormal,
    "lecun_uniform": keras.initializers.LecunUniform,
    "lecun_normal": keras.initializers.LecunNormal,
}


def derived_seed(seed: int, purpose: str, position: int) -> int:
    """A 31-bit seed, a pure function of its arguments.

    Nothing draws from a global generator, so adding a layer or drawing in
    another order never changes what another place draws.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{position}".encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def _dense(config: sections.DenseLayer, seed: int, position: int) -> keras.layers.Layer:
    initializer = INITIALIZERS[config.kernel_initializer]
    return keras.layers.Dense(
        config.units,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(derived_seed(seed, "kernel", position)),
        bias_initializer=INITIALIZERS[config.bias_initializer](
            derived_seed(seed, "bias", position)
        ),
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
}


def build_model(architecture: Architecture, *, seed: int) -> keras.Sequential:
    """The plain Keras model, its weights drawn from ``seed``: the same on every call.

    Input (batch, *input_shape) float32, already preprocessed.
    """
    layers = [
        LAYERS[layer.config.type](layer.config, seed, position)
        for position, layer in enumerate(architecture.layers)
    ]
    with recursion_over(len(layers)):
        return keras.Sequential([keras.Input(architecture.input_shape), *layers])


@contextmanager
def recursion_over(num_layers: int) -> Iterator[None]:
    """Inside: Keras goes from each layer to the one before by recursion, a thousand calls at most."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 10 * num_layers)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def named_variables(model: keras.Sequential) -> dict[str, keras.Variable]:
    """Every saved variable by position: ``layers.1.kernel``.

    Keras's own paths change with the process (``dense_1``, then ``dense_2``).
    Dropout's seed generator is left out: masks are a pure function of
    (seed, layer, step) here.
    """
    return {
        f"layers.{position}.{variable.name}": variable
        for position, layer in enumerate(model.layers)
        for variable in layer.variables
        if not isinstance(layer, keras.layers.Dropout)
    }
