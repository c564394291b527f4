"""What a training step keeps of one example, layer by layer: values, as far as they can be counted.

No TensorFlow. ``least`` is a lower bound: what the gradient cannot do without. ``about`` is an
estimate: what the operations of a layer give beside its output, and a step's peak.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from bmtrain.config.sections.layers.attention import MultiHeadAttentionLayer
from bmtrain.config.sections.layers.composite import ResidualLayer
from bmtrain.models.shapes.planned import PlannedLayer

#: Types that give their input under another shape.
_SHAPES: Final = frozenset({"flatten", "reshape"})
#: How many values are kept for each of the output's, where it is not one.
_PER_OUTPUT: Final[dict[str, int]] = {
    # The normalised value and the output.
    "batch_normalization": 2,
    "layer_normalization": 2,
    "group_normalization": 2,
    "rms_normalization": 2,
    "unit_normalization": 2,
    # The mask and the output.
    "dropout": 2,
    "spatial_dropout1d": 2,
    "spatial_dropout2d": 2,
    "gaussian_dropout": 2,
    "gaussian_noise": 2,
}
#: Layers whose gradient has for each value kept of a step one and a half in work, as measured.
_OVER_STEPS: Final = frozenset({"simple_rnn", "lstm", "gru", "bidirectional"})
#: Activations whose gradient follows from their output, which is kept anyhow.
_FROM_OUTPUT: Final = frozenset({None, "linear", "relu", "tanh", "sigmoid", "softmax"})
#: Of all others: what they got, a value on the way, the output.
_OF_ACTIVATION: Final = 3


def least(layers: Iterable[PlannedLayer]) -> int:
    """Values that are kept for the gradient at least; of a block that is computed again its input."""
    return sum(_least(layer) for layer in layers)


def about(layers: Iterable[PlannedLayer]) -> int:
    """Values at the peak of a step: what is kept, and of the largest block what is in work."""
    layers = tuple(layers)
    return sum(map(_kept, layers)) + max(map(_in_work, layers), default=0)


def num_plain(layers: Iterable[PlannedLayer]) -> int:
    """Layers that are not made of layers."""
    return sum(num_plain(layer.inner.values()) if layer.inner else 1 for layer in layers)


def recomputed_flops(layers: Iterable[PlannedLayer]) -> int:
    """Forward FLOPs of one example that are done again for the gradient."""
    return sum(
        recomputed_flops(layer.inner.values()) + (layer.forward_flops if _is_remat(layer) else 0)
        for layer in layers
    )


def _is_remat(layer: PlannedLayer) -> bool:
    return isinstance(layer.config, ResidualLayer) and layer.config.remat


def _least(layer: PlannedLayer) -> int:
    if _is_remat(layer):
        return math.prod(layer.input_shape)
    return least(layer.inner.values()) if layer.inner else layer.kept_values


def _kept(layer: PlannedLayer) -> int:
    """By the end of the forward pass."""
    output = math.prod(layer.output_shape)
    if layer.inner:
        return output + (0 if _is_remat(layer) else sum(map(_kept, layer.inner.values())))
    return _kept_of_plain(layer, output)


def _kept_of_plain(layer: PlannedLayer, output: int) -> int:
    config = layer.config
    if config.type in _SHAPES:
        return 0
    if isinstance(config, MultiHeadAttentionLayer):
        # Queries, keys, values and what is seen are transposed, too.
        value_dim = config.value_dim or config.key_dim
        per_step = 2 * config.num_heads * (config.key_dim + value_dim)
        return layer.kept_values + layer.input_shape[0] * per_step
    per_output = _PER_OUTPUT.get(config.type, 1)
    if getattr(config, "activation", None) not in _FROM_OUTPUT:
        per_output = _OF_ACTIVATION
    return max(layer.kept_values, per_output * output)


def _in_work(layer: PlannedLayer) -> int:
    """While the gradient of the layer is computed: a block again, gradients of both its ends."""
    inner = tuple(layer.inner.values())
    again = sum(map(_kept, inner)) if _is_remat(layer) else 0
    ends = math.prod(layer.input_shape) + math.prod(layer.output_shape)
    if layer.config.type in _OVER_STEPS:
        return layer.kept_values * 3 // 2
    return max(again + max(map(_in_work, inner), default=0), ends)
