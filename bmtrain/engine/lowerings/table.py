"""The closed table from Keras layers to other computations of the same function.

Used in the compiled training step only; exports keep the plain Keras layers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

import keras
import tensorflow as tf

from bmtrain.engine.lowerings import convolution, pooling, regularizing
from bmtrain.engine.lowerings.attention import self_attention, who_sees_whom
from bmtrain.models.initial_weights import Place
from bmtrain.models.layers.attention import attention_in
from bmtrain.models.masking import call_layer, plain_layers, through_layers
from bmtrain.models.problem import Problem


@dataclass(frozen=True, slots=True)
class Lowering:
    """Another computation of a layer.

    Attributes:
        name: in the record of the engine.
        compute: (layer, inputs, seed of the experiment, place, step) -> outputs.
        is_random: then it is used everywhere, or a resumed run would end in other bits; else
            under XLA on a processor alone: elsewhere Keras's own is the faster one.
        fits: (layer, inputs): whether it can compute the layer for this shape.
    """

    name: str
    compute: Callable[[keras.layers.Layer, tf.Tensor, int, Place, tf.Tensor], tf.Tensor]
    is_random: bool = False
    fits: Callable[[keras.layers.Layer, tf.Tensor], bool] = lambda *_: True


_SPATIAL_DROPOUT: Final = Lowering("spatial_dropout", regularizing.spatial_dropout, is_random=True)
_MAX_POOLING: Final = Lowering("max_pooling", pooling.max_pooling, fits=pooling.windows_tile)
_AVERAGE_POOLING: Final = Lowering(
    "average_pooling", pooling.average_pooling, fits=pooling.windows_tile
)

LOWERINGS: Final[dict[type[keras.layers.Layer], Lowering]] = {
    keras.layers.Dropout: Lowering("dropout", regularizing.dropout, is_random=True),
    keras.layers.SpatialDropout1D: _SPATIAL_DROPOUT,
    keras.layers.SpatialDropout2D: _SPATIAL_DROPOUT,
    keras.layers.GaussianDropout: Lowering(
        "gaussian_dropout", regularizing.gaussian_dropout, is_random=True
    ),
    keras.layers.GaussianNoise: Lowering(
        "gaussian_noise", regularizing.gaussian_noise, is_random=True
    ),
    keras.layers.Conv1D: Lowering("conv1d", convolution.convolution),
    keras.layers.Conv2D: Lowering("conv2d", convolution.convolution),
    keras.layers.DepthwiseConv2D: Lowering("depthwise_conv2d", convolution.depthwise_convolution),
    keras.layers.SeparableConv2D: Lowering("separable_conv2d", convolution.separable_convolution),
    keras.layers.MaxPooling1D: _MAX_POOLING,
    keras.layers.MaxPooling2D: _MAX_POOLING,
    keras.layers.AveragePooling1D: _AVERAGE_POOLING,
    keras.layers.AveragePooling2D: _AVERAGE_POOLING,
}


#: Its dropout is random, so it is used everywhere; it is told of masks, which the others are not.
SELF_ATTENTION: Final = "self_attention"


def lowerings_used(
    model: keras.Sequential, *, mode: Literal["xla", "graph"], device: str
) -> tuple[str, ...]:
    """Names of the lowerings that training this model uses there ("cpu", "gpu"): for the record."""
    is_slow = mode == "xla" and device == "cpu"
    used = set()
    for layer in plain_layers(model.layers):
        if attention_in(layer) is not None:
            used.add(SELF_ATTENTION)
        lowering = LOWERINGS.get(type(layer))
        if lowering is not None and (lowering.is_random or is_slow):
            used |= {lowering.name} if lowering.fits(layer, layer.input) else set()
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
        if (attention := attention_in(layer)) is not None:
            allowed = who_sees_whom(mask, inputs.shape[1], is_causal=layer.use_causal_mask)
            return self_attention(attention, inputs, allowed, problem.seed, place, step)
        lowering = LOWERINGS.get(type(layer))
        if lowering is None or lowering.name not in lowerings or not lowering.fits(layer, inputs):
            return call_layer(layer, inputs, mask, training=True)
        return lowering.compute(layer, inputs, problem.seed, place, step)

    outputs, _ = through_layers(problem.model.layers, inputs, call)
    return outputs
