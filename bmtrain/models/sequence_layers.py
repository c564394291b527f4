"""Keras's layers for sequences: embedding, recurrent layers, convolution over steps."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.sections import model as sections
from bmtrain.models.initial_weights import derived_seed, initializer
from bmtrain.models.sequence_shapes import DIRECTIONS

#: Of a vector's values at first, as in Keras: uniform from minus this to this.
_EMBEDDING_LIMIT = 0.05
_RECURRENT: dict[str, type[keras.layers.RNN]] = {
    "simple_rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
}


def embedding(config: sections.EmbeddingLayer, seed: int, position: int) -> keras.layers.Layer:
    """``input_dim`` is there: a planned layer's follows from the data."""
    assert config.input_dim is not None
    return keras.layers.Embedding(
        config.input_dim,
        config.output_dim,
        mask_zero=config.mask_zero,
        embeddings_initializer=keras.initializers.RandomUniform(
            -_EMBEDDING_LIMIT, _EMBEDDING_LIMIT, seed=derived_seed(seed, "embeddings", position)
        ),
    )


def recurrent(
    config: sections.RecurrentSection, seed: int, position: int, *, of: str = ""
) -> keras.layers.RNN:
    """One direction; ``of`` is "backward." for the second one of a bidirectional layer."""
    arguments: dict[str, Any] = {}
    if config.type != "simple_rnn":
        # XLA cannot compile cuDNN's own loop.
        arguments["use_cudnn"] = False
    return _RECURRENT[config.type](
        config.units,
        activation=config.activation,
        use_bias=config.use_bias,
        return_sequences=config.return_sequences,
        go_backwards=bool(of),
        kernel_initializer=initializer(config.kernel_initializer, seed, f"{of}kernel", position),
        recurrent_initializer=keras.initializers.Orthogonal(
            seed=derived_seed(seed, f"{of}recurrent_kernel", position)
        ),
        **arguments,
    )


def bidirectional(
    config: sections.BidirectionalLayer, seed: int, position: int
) -> keras.layers.Layer:
    """Keras would copy the layer, its seeds too: both directions would begin with equal weights."""
    return keras.layers.Bidirectional(
        recurrent(config.layer, seed, position),
        merge_mode=config.merge_mode,
        backward_layer=recurrent(config.layer, seed, position, of="backward."),
    )


def conv1d(config: sections.Conv1dLayer, seed: int, position: int) -> keras.layers.Layer:
    """Convolution over the steps."""
    return keras.layers.Conv1D(
        config.filters,
        config.kernel_size,
        strides=config.strides,
        padding=config.padding,
        activation=config.activation,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", position),
        bias_initializer=initializer(config.bias_initializer, seed, "bias", position),
    )


def bidirectional_names(layer: keras.layers.Bidirectional) -> list[str]:
    """Of its variables, in their order: ``forward.kernel`` … ``backward.bias``."""
    layers = (layer.forward_layer, layer.backward_layer)
    return [
        f"{direction}.{variable.name}"
        for direction, one in zip(DIRECTIONS, layers, strict=True)
        for variable in one.variables
    ]
