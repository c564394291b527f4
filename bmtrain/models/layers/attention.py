"""Layers in which the steps of a sequence see each other, or know where they are.

Plain Keras takes the sequence twice, or knows of no places: each is a small functional model.
"""

from __future__ import annotations

import keras

from bmtrain.models.initial_weights import Place, derived_seed, initializer
from bmtrain.models.layers.inner_names import inner_layer, inner_name, role_of
from bmtrain.models.layers.kernels import constraint, regularizer
from bmtrain.models.shapes.planned import PlannedLayer

#: The roles of the layers with the variables.
_ATTENTION = "attention"
_POSITIONS = "positions"


def multi_head_attention(layer: PlannedLayer, seed: int, place: Place) -> keras.Model:
    """attention(x, x)."""
    config = layer.config
    assert config.type == "multi_head_attention"
    attention = keras.layers.MultiHeadAttention(
        config.num_heads,
        config.key_dim,
        value_dim=config.value_dim,
        dropout=config.dropout,
        use_bias=config.use_bias,
        kernel_initializer=initializer(config.kernel_initializer, seed, "kernel", place),
        kernel_regularizer=regularizer(config.kernel_regularizer),
        seed=derived_seed(seed, "attention", place),
        name=inner_name(_ATTENTION, place),
    )
    inputs = keras.Input(layer.input_shape)
    outputs = attention(inputs, inputs, use_causal_mask=config.use_causal_mask)
    for name, variable in own_variables(attention).items():
        is_kernel = name.endswith("kernel")
        begin = config.kernel_initializer if is_kernel else config.bias_initializer
        # Keras would begin with equal queries, keys and values
        variable.assign(initializer(begin, seed, name, place)(variable.shape))
        if is_kernel:  # Keras has the same axes for all of them; the last one's inputs have two
            axes = [0, 1] if name.startswith("attention_output") else [0]
            variable.constraint = constraint(config.kernel_constraint, axes)
    model = keras.Model(inputs, outputs)
    model.supports_masking = True
    model.use_causal_mask = config.use_causal_mask
    return model


def positional_embedding(layer: PlannedLayer, seed: int, place: Place) -> keras.Model:
    """X + embeddings(0, 1, 2, …)."""
    config = layer.config
    assert config.type == "positional_embedding"
    steps, width = layer.input_shape
    embedding = keras.layers.Embedding(
        steps,
        width,
        embeddings_initializer=initializer(
            config.embeddings_initializer, seed, "embeddings", place
        ),
        name=inner_name(_POSITIONS, place),
    )
    inputs = keras.Input(layer.input_shape)
    model = keras.Model(inputs, with_places(embedding, inputs))
    model.supports_masking = True
    return model


def with_places(embedding: keras.layers.Embedding, inputs: keras.KerasTensor) -> keras.KerasTensor:
    """Inputs + embedding(0, 1, 2, …)."""
    ones = keras.ops.ones_like(inputs[:, :, 0], dtype="int32")
    return keras.layers.Add()([inputs, embedding(keras.ops.cumsum(ones, axis=1) - 1)])


def own_variables(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    """``query.kernel`` … ``attention_output.bias``, ``embeddings``."""
    num_parts = {_ATTENTION: 2, _POSITIONS: 1}[role_of(layer)]
    return {
        ".".join(variable.path.split("/")[-num_parts:]): variable
        for variable in layer.variables
        if variable.name != "seed_generator_state"
    }


def is_own(layer: keras.layers.Layer) -> bool:
    """Whether its variables are the functional model's own."""
    return role_of(layer) in (_ATTENTION, _POSITIONS)


def attention_in(layer: keras.layers.Layer) -> keras.layers.MultiHeadAttention | None:
    """Keras's layer in what ``multi_head_attention`` made; None: it did not."""
    return inner_layer(layer, _ATTENTION)


def places_in(layer: keras.layers.Layer) -> keras.layers.Embedding | None:
    """The same of ``positional_embedding``."""
    return inner_layer(layer, _POSITIONS)
