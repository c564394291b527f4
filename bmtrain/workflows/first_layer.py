"""What a model's first layer looks for: its weights as pictures, or by the columns they are of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from bmtrain.explanations.parts import columns_of, kind_of
from bmtrain.figures import figure, rounded
from bmtrain.pages.content import Block, Picture, Pictures, Table
from bmtrain.pages.pictures import Tiles, data_uri, weight_tiles
from bmtrain.workflows.restoring import Restored

#: Rows of the table of columns.
_MAX_COLUMNS: Final = 50


@dataclass(frozen=True, slots=True)
class FirstLayer:
    """The first layer that has weights.

    Attributes:
        tiles: of a layer that sees pixels a picture per unit: the mean over the channels.
        norms: (name, √Σw² over the units and the column's inputs) of one that sees columns, the
            largest first.
        num_channels: of the pixels.
    """

    position: int
    type: str
    kernel_shape: tuple[int, ...]
    tiles: Tiles | None = None
    norms: tuple[tuple[str, float], ...] = ()
    num_channels: int = 1


def first_layer(restored: Restored) -> FirstLayer | None:
    """Of the checkpoint; None where its weights see neither pixels nor columns."""
    layers = restored.architecture.layers
    facts = restored.checkpoint.preprocessing.facts
    position = next((at for at, layer in enumerate(layers) if layer.variables), None)
    if position is None:
        return None
    kind = layers[position].config.type
    kernel = restored.checkpoint.model.get(f"layers.{position}.kernel")
    seen = kind_of(facts)
    is_plain = all(layer.config.type in {"flatten", "reshape"} for layer in layers[:position])
    if kernel is None or not is_plain or not np.isfinite(kernel).all():
        return None
    found = FirstLayer(position, kind, kernel.shape)
    if seen == "picture" and kind == "dense":
        # A picture that is not flattened is taken row by row: its columns are the inputs.
        if kernel.shape[0] != math.prod(facts.input_shape):
            return None
        shape = (*facts.input_shape, 1)[:3]
        kernel = kernel.reshape(*shape, -1)
    if seen == "picture" and kind in {"dense", "conv2d"}:
        tiles = weight_tiles(kernel.mean(axis=2))
        return replace(found, tiles=tiles, num_channels=kernel.shape[2])
    if seen == "table" and kind == "dense":
        columns = columns_of(facts)
        squares = columns.summed((kernel.astype(np.float64) ** 2).sum(axis=1))
        norms = sorted(
            zip(columns.names, np.sqrt(squares).tolist(), strict=True), key=lambda pair: -pair[1]
        )
        return replace(found, norms=tuple(norms))
    return None


def weights_blocks(layer: FirstLayer) -> tuple[Block, ...]:
    """A picture per unit or filter, or a table of columns."""
    if layer.tiles is None:
        return (_columns(layer),)
    what = "filter" if layer.type == "conv2d" else "unit"
    pictures = tuple(
        Picture(data_uri(layer.tiles.png(place)), f"Weights of {what} {unit}", f"{what} {unit}")
        for place, unit in enumerate(layer.tiles.units)
    )
    number, shown = layer.kernel_shape[-1], len(layer.tiles.units)
    some = f"The {shown} with the largest weights of {number:,} {what}s. " if number > shown else ""
    mean = f"The mean over {layer.num_channels} channels. " if layer.num_channels > 1 else ""
    return (
        Pictures(
            pictures,
            f"Layer {layer.position} ({layer.type}), the first that has weights; all in one scale. {some}{mean}Blue: a larger "
            "input raises the unit; red: it lowers it; white: it does not matter. Full colour: weights "
            f"of ±{rounded(layer.tiles.full)} and beyond.",
        ),
    )


def _columns(layer: FirstLayer) -> Table:
    norms, number = layer.norms[:_MAX_COLUMNS], len(layer.norms)
    some = f" The first {len(norms)} of {number:,} columns." if number > len(norms) else ""
    return Table(
        caption=f"The columns by the size of their weights in layer {layer.position} ({layer.type})",
        header=("column", "size of its weights"),
        rows=tuple((name, figure(norm)) for name, norm in norms),
        numbers=frozenset({1}),
        note="Size: √Σw² over all units and all inputs of a column; one of categories has an input for "
        "each, and so more weights to add up. "
        "Inputs are scaled before they are weighed; a large weight says that a column is used, "
        f"not what for.{some}",
        bars=tuple(norm for _, norm in norms),
    )
