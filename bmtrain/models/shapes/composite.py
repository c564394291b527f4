"""Layers that are made of layers, and types that stand for several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from bmtrain.config.sections.layers import composite as sections
from bmtrain.config.sections.layers.attention import MultiHeadAttentionLayer
from bmtrain.config.sections.layers.convolution import Conv2dLayer
from bmtrain.config.sections.layers.core import DenseLayer, ReshapeLayer
from bmtrain.config.sections.layers.normalization import LayerNormalizationLayer
from bmtrain.config.sections.layers.regularizing import DropoutLayer
from bmtrain.config.sections.layers.union import Layer
from bmtrain.errors import DataError
from bmtrain.models.expansion import ConfigKey
from bmtrain.models.shapes.embedding import check_tokens
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape
from bmtrain.models.shapes.sequences import steps_and_features
from bmtrain.models.shapes.windows import height_width_channels

#: What a block hands on to those of its layers that have a kernel.
_OF_KERNELS: Final = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")


def follow(layers: Sequence[tuple[Layer, ConfigKey]], given: Given) -> list[PlannedLayer]:
    """One layer behind the other; ``given.name`` and a number is what each is called.

    Raises:
        DataError: a layer cannot follow the shape it gets; with its config key.
    """
    found: list[PlannedLayer] = []
    rest = deque(layers)
    there = given
    while rest:
        config, key = rest.popleft()
        there = replace(there, name=f"{given.name}{len(found)}", key=key)
        check_tokens(config, there)
        if (block := BLOCKS.get(config.type)) is not None:
            rest.extendleft((layer, key) for layer in reversed(block(config, there)))
            continue
        layer = given.planners[config.type](config, there)
        found.append(layer)
        there = replace(
            there, shape=layer.output_shape, is_masked=layer.hands_mask_on, is_first=False
        )
    return found


def residual(config: sections.ResidualLayer, given: Given) -> PlannedLayer:
    """DataError where both sides of the sum have different shapes."""
    paths = {
        name: follow(
            [(layer, (*given.key, name, at)) for at, layer in enumerate(layers)],
            replace(given, name=f"{given.name}.{name}.", is_first=False),
        )
        for name, layers in (("layers", config.layers), ("shortcut", config.shortcut))
    }
    ends = [path[-1].output_shape if path else given.shape for path in paths.values()]
    if ends[0] != ends[1]:
        there = "the shortcut" if config.shortcut else "the input"
        raise DataError(
            f"{given.name} (residual) adds what its layers give, {list(ends[0])}, to {there}, "
            f"{list(ends[1])}",
            key=(*given.key, "layers"),
            hint="a shortcut with a layer that makes the same shape of the input, {type: dense, "
            "units: …} say",
        )
    inner = {f"{name}.{at}": layer for name, path in paths.items() for at, layer in enumerate(path)}
    hand_on = all(layer.hands_mask_on for layer in inner.values())
    return PlannedLayer(
        config=config,
        key=given.key,
        input_shape=given.shape,
        output_shape=ends[0],
        variables=_named(inner, lambda layer: layer.variables),
        non_trainable=frozenset(
            f"{name}.{own}" for name, layer in inner.items() for own in layer.non_trainable
        ),
        is_masked=given.is_masked,
        hands_mask_on=given.is_masked and hand_on,
        forgets_mask=any(layer.forgets_mask for layer in inner.values()),
        forward_flops=sum(layer.forward_flops for layer in inner.values()),
        kept_values=sum(layer.kept_values for layer in inner.values()),
        inner=inner,
    )


def _named(inner: dict[str, PlannedLayer], of: Callable[[PlannedLayer], Any]) -> dict[str, Shape]:
    return {f"{name}.{own}": v for name, layer in inner.items() for own, v in of(layer).items()}


def _transformer_block(config: sections.TransformerBlockLayer, given: Given) -> list[Layer]:
    _, width = steps_and_features(config, given)
    if width % config.num_heads:
        raise DataError(
            f"{given.name} (transformer_block) has {config.num_heads} heads, which do not divide "
            f"the width that it gets, {width}",
            key=(*given.key, "num_heads"),
            hint="let the embedding before it have a multiple of the heads, or choose other heads",
        )
    own: dict[str, Any] = {key: getattr(config, key) for key in _OF_KERNELS}
    attention = MultiHeadAttentionLayer(
        type="multi_head_attention",
        num_heads=config.num_heads,
        key_dim=width // config.num_heads,
        dropout=config.dropout,
        use_causal_mask=config.use_causal_mask,
        **own,
    )
    dense = [
        DenseLayer(
            type="dense", units=config.intermediate_dim, activation=config.activation, **own
        ),
        DenseLayer(type="dense", units=width, **own),
    ]
    norm = LayerNormalizationLayer(type="layer_normalization", epsilon=config.layer_norm_epsilon)
    dropout = [DropoutLayer(type="dropout", rate=config.dropout)] if config.dropout else []
    made: list[Layer] = []
    for path in ([attention], dense):
        layers = (*((norm,) if config.normalize_first else ()), *path, *dropout)
        block = sections.ResidualLayer(type="residual", layers=layers, remat=config.remat)
        made.append(block)
        if not config.normalize_first:
            made.append(norm)
    return made


def _patch_embedding(config: sections.PatchEmbeddingLayer, given: Given) -> list[Layer]:
    height, width, _ = height_width_channels(config, given)
    size = config.patch_size
    if height % size or width % size:
        raise DataError(
            f"{given.name} (patch_embedding) has patches of {size}×{size} pixels, which do not "
            f"divide the picture that it gets, {height}×{width}",
            key=(*given.key, "patch_size"),
        )
    num_patches = (height // size) * (width // size)
    own: dict[str, Any] = {key: getattr(config, key) for key in _OF_KERNELS}
    return [
        Conv2dLayer(
            type="conv2d", filters=config.output_dim, kernel_size=size, strides=size, **own
        ),
        ReshapeLayer(type="reshape", target_shape=(num_patches, config.output_dim)),
    ]


#: Types that stand for several layers -> (config, what it gets) -> these.
BLOCKS: Final[dict[str, Callable[[Any, Given], Sequence[Layer]]]] = {
    "transformer_block": _transformer_block,
    "patch_embedding": _patch_embedding,
}
