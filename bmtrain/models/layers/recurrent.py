"""Layers that go through a sequence step by step."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.sections.layers import recurrent as sections
from bmtrain.models.initial_weights import Place, initializer
from bmtrain.models.layers.kernels import kernel_terms
from bmtrain.models.shapes.recurrent import DIRECTIONS

_RECURRENT: dict[str, type[keras.layers.RNN]] = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}


def recurrent(
    config: sections.RecurrentSection, seed: int, position: Place, *, of: str = ""
) -> keras.layers.RNN:
    """One direction; ``of`` is "backward." for the second one of a bidirectional layer."""
    arguments: dict[str, Any] = {}
    if config.type != "simple_rnn":
        # XLA cannot compile cuDNN's own loop.
        arguments["use_cudnn"] = False
    if isinstance(config, sections.LstmLayer):
        arguments["unit_forget_bias"] = config.unit_forget_bias
    return _RECURRENT[config.type](
        config.units,
        activation=config.activation,
        use_bias=config.use_bias,
        return_sequences=config.return_sequences,
        go_backwards=bool(of),
        kernel_initializer=initializer(config.kernel_initializer, seed, f"{of}kernel", position),
        recurrent_initializer=initializer(
            config.recurrent_initializer, seed, f"{of}recurrent_kernel", position
        ),
        bias_initializer=initializer(config.bias_initializer, seed, f"{of}bias", position),
        **kernel_terms(config, "kernel", num_axes=1),
        **kernel_terms(config, "recurrent", num_axes=1),
        **arguments,
    )


def bidirectional(
    config: sections.BidirectionalLayer, seed: int, position: Place
) -> keras.layers.Layer:
    """Keras would copy the layer, its seeds too: both directions would begin with equal weights."""
    return keras.layers.Bidirectional(
        recurrent(config.layer, seed, position),
        merge_mode=config.merge_mode,
        backward_layer=recurrent(config.layer, seed, position, of="backward."),
    )


def bidirectional_names(layer: keras.layers.Bidirectional) -> list[str]:
    """Of its variables, in their order: ``forward.kernel`` … ``backward.bias``."""
    layers = (layer.forward_layer, layer.backward_layer)
    return [
        f"{direction}.{variable.name}"
        for direction, one in zip(DIRECTIONS, layers, strict=True)
        for variable in one.variables
    ]
