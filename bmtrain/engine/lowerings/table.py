"""The closed table from Keras layers to other computations of the same function.

Used in the compiled training step only; exports keep the plain Keras layers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, Literal

import keras
import tensorflow as tf

from bmtrain.engine.lowerings import (
    convolution,
    embedding,
    normalization,
    pooling,
    products,
    regularizing,
)
from bmtrain.engine.lowerings.attention import self_attention, who_sees_whom
from bmtrain.engine.lowerings.attention_products import self_attention_by_products
from bmtrain.engine.lowerings.bidirectional import bidirectional, is_plain_bidirectional
from bmtrain.engine.lowerings.gru import gru, is_plain_gru
from bmtrain.engine.lowerings.lstm import is_plain_lstm, lstm
from bmtrain.engine.lowerings.plugin import plugin_in_training
from bmtrain.engine.lowerings.remat import Block, rematerialized
from bmtrain.models.initial_weights import Place
from bmtrain.models.layers.attention import attention_in, places_in
from bmtrain.models.layers.plugin_layers import planned_of
from bmtrain.models.masking import Masked, call_layer, plain_layers, through_layers
from bmtrain.models.problem import Problem


@dataclass(frozen=True, slots=True)
class Lowering:
    """Another computation of a layer.

    Attributes:
        name: in the record of the engine.
        compute: (layer, inputs, seed of the experiment, place, step) -> outputs.
        takes_mask: then ``compute`` gets the mask of the steps behind these.
        is_random: then it is used wherever no other one is, or a resumed run would end in other bits.
        slow_on: devices on which XLA is slow at Keras's own; elsewhere that is the faster one.
        fits: (layer, inputs): whether it can compute the layer for this shape.
    """

    name: str
    compute: Callable[..., tf.Tensor]
    takes_mask: bool = False
    is_random: bool = False
    slow_on: frozenset[str] = frozenset({"cpu"})
    fits: Callable[[keras.layers.Layer, tf.Tensor], bool] = lambda *_: True


_CPU: Final = frozenset({"cpu"})
_GPU: Final = frozenset({"gpu"})


def _drawn(
    name: str, compute: Callable[..., tf.Tensor], kind: str = "threefry"
) -> tuple[Lowering, Lowering]:
    """By Threefry where XLA is slow at Philox, by Philox elsewhere: other bits, one distribution."""
    by_threefry = partial(compute, generator="threefry")
    return Lowering(f"{name}_{kind}", by_threefry), Lowering(name, compute, is_random=True)


#: Of 16 bits for each number.
_HALVES: Final = "threefry16"
_SPATIAL_DROPOUT: Final = _drawn("spatial_dropout", regularizing.spatial_dropout, _HALVES)
#: Of the gradient of Keras's own XLA has no deterministic form, on any device.
_MAX_POOLING: Final = (
    Lowering(
        "max_pooling",
        pooling.max_pooling,
        slow_on=_CPU | _GPU,
        fits=pooling.windows_tile,
    ),
    Lowering("overlapping_max_pooling", pooling.overlapping_max_pooling, slow_on=_CPU | _GPU),
)
_AVERAGE_POOLING: Final = (
    Lowering("average_pooling", pooling.average_pooling, fits=pooling.windows_tile),
)

#: Of those of a layer the first that fits is used.
LOWERINGS: Final[dict[type[keras.layers.Layer], tuple[Lowering, ...]]] = {
    keras.layers.Dense: (Lowering("dense", products.dense, fits=products.has_rows_or_is_narrow),),
    keras.layers.LayerNormalization: (
        Lowering(
            "layer_normalization",
            normalization.layer_normalization,
            fits=normalization.is_over_features,
        ),
    ),
    keras.layers.Dropout: _drawn("dropout", regularizing.dropout, _HALVES),
    keras.layers.SpatialDropout1D: _SPATIAL_DROPOUT,
    keras.layers.SpatialDropout2D: _SPATIAL_DROPOUT,
    keras.layers.GaussianDropout: _drawn("gaussian_dropout", regularizing.gaussian_dropout),
    keras.layers.GaussianNoise: _drawn("gaussian_noise", regularizing.gaussian_noise),
    keras.layers.Conv1D: (Lowering("conv1d", convolution.convolution),),
    keras.layers.Conv2D: (Lowering("conv2d", convolution.convolution),),
    keras.layers.DepthwiseConv1D: (
        Lowering("depthwise_conv1d", convolution.depthwise_convolution),
    ),
    keras.layers.DepthwiseConv2D: (
        Lowering("depthwise_conv2d", convolution.depthwise_convolution),
    ),
    keras.layers.SeparableConv1D: (
        Lowering("separable_conv1d", convolution.separable_convolution),
    ),
    keras.layers.SeparableConv2D: (
        Lowering("separable_conv2d", convolution.separable_convolution),
    ),
    keras.layers.LSTM: (Lowering("lstm", lstm, takes_mask=True, fits=is_plain_lstm),),
    keras.layers.GRU: (Lowering("gru", gru, takes_mask=True, fits=is_plain_gru),),
    keras.layers.Bidirectional: (
        Lowering("bidirectional", bidirectional, takes_mask=True, fits=is_plain_bidirectional),
    ),
    keras.layers.Embedding: (
        Lowering("embedding", embedding.embedding, slow_on=_GPU, fits=embedding.has_room),
    ),
    keras.layers.MaxPooling1D: _MAX_POOLING,
    keras.layers.MaxPooling2D: _MAX_POOLING,
    keras.layers.AveragePooling1D: _AVERAGE_POOLING,
    keras.layers.AveragePooling2D: _AVERAGE_POOLING,
}


#: Its dropout is random, so it is used everywhere.
SELF_ATTENTION: Final = "self_attention"
#: The same for XLA on a processor.
SELF_ATTENTION_PRODUCTS: Final = "self_attention_products"
#: Under XLA a sum: Keras looks the same rows up for each example, and adds their gradients up.
POSITIONAL_EMBEDDING: Final = "positional_embedding"


def lowerings_used(
    model: keras.Sequential, *, mode: Literal["xla", "graph"], device: str
) -> tuple[str, ...]:
    """Names of the lowerings that training this model uses there ("cpu", "gpu"): for the record."""
    used: set[str] = set()
    for layer in plain_layers(model.layers):
        if attention_in(layer) is not None:
            is_slow = mode == "xla" and device == "cpu"
            used.add(SELF_ATTENTION_PRODUCTS if is_slow else SELF_ATTENTION)
        if mode == "xla" and places_in(layer) is not None:
            used.add(POSITIONAL_EMBEDDING)
        wanted = (
            lowering.name
            for lowering in LOWERINGS.get(type(layer), ())
            if lowering.is_random or (mode == "xla" and device in lowering.slow_on)
            if lowering.fits(layer, layer.input)
        )
        used |= set(islice(wanted, 1))
    return tuple(sorted(used))


def forward_in_training(
    problem: Problem, inputs: tf.Tensor, step: tf.Tensor, lowerings: Collection[str]
) -> tf.Tensor:
    """The model's outputs in training mode at ``step`` (int64, of the whole training).

    Args:
        lowerings: names of those to use, as ``lowerings_used`` gives them.
    """

    def call(
        layer: keras.layers.Layer, inputs: tf.Tensor, mask: tf.Tensor | None, place: Place
    ) -> tf.Tensor:
        if inputs.dtype.is_floating:
            inputs = tf.cast(inputs, layer.compute_dtype)  # as a layer of Keras's does
        planned = planned_of(layer)
        if planned is not None and planned.plugin is not None and planned.plugin.in_training:
            return plugin_in_training(layer, planned, inputs, problem.seed, place, step)
        if (attention := attention_in(layer)) is not None:
            allowed = who_sees_whom(mask, inputs.shape[1], is_causal=layer.use_causal_mask)
            key = regularizing.key_of(problem.seed, "attention", place, step)
            if SELF_ATTENTION_PRODUCTS in lowerings:
                return self_attention_by_products(attention, inputs, allowed, key)
            return self_attention(attention, inputs, allowed, key)
        if POSITIONAL_EMBEDDING in lowerings and (places := places_in(layer)) is not None:
            return inputs + tf.cast(places.embeddings.value, inputs.dtype)
        for lowering in LOWERINGS.get(type(layer), ()):
            if lowering.name in lowerings and lowering.fits(layer, inputs):
                arguments = (layer, inputs, problem.seed, place, step)
                masks = (mask,) if lowering.takes_mask else ()
                return lowering.compute(*arguments, *masks)
        return call_layer(layer, inputs, mask, training=True)

    def call_block(block: keras.Model, compute: Block, inputs: tf.Tensor) -> Masked:
        return rematerialized(block, compute, inputs) if block.remat else compute(inputs)

    outputs, _ = through_layers(problem.model.layers, inputs, call, call_block=call_block)
    return outputs
