"""Windows that move over steps or pixels, and what layers of pictures ask of their input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bmtrain.config.sections.layers.arguments import Extents
from bmtrain.config.sections.layers.union import Layer
from bmtrain.errors import DataError
from bmtrain.models.expansion import PRESET
from bmtrain.models.shapes.planned import Given


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows along one axis, as Keras and TensorFlow place them.

    Attributes:
        count: how many there are.
        before: values that pad the axis in front.
        after: and behind it.
    """

    count: int
    before: int
    after: int


def windows(
    length: int,
    size: int,
    stride: int,
    padding: Literal["valid", "same", "causal"],
    dilation: int = 1,
) -> Windows:
    """Of ``size`` values, each ``dilation`` from the next; ``count`` < 1: none fits."""
    reach = (size - 1) * dilation + 1
    if padding == "valid":
        return Windows((length - reach) // stride + 1, 0, 0)
    count = -(-length // stride)
    if padding == "causal":
        return Windows(count, reach - 1, 0)
    missing = max(0, (count - 1) * stride + reach - length)
    return Windows(count, missing // 2, missing - missing // 2)


def both(extents: Extents | Sequence[int]) -> tuple[int, int]:
    """Height and width."""
    height, width = (extents, extents) if isinstance(extents, int) else extents
    return height, width


def along(extents: Extents | Sequence[int], num_axes: int) -> tuple[int, ...]:
    """One for each axis that windows move along; one number is all of them."""
    return (extents,) * num_axes if isinstance(extents, int) else tuple(extents)


def height_width_channels(config: Layer, given: Given) -> tuple[int, int, int]:
    """DataError where the input is no picture."""
    if len(given.shape) != 3:
        raise DataError(
            f"{given.name} ({config.type}) takes a picture, [height, width, channels], and gets "
            f"the shape {list(given.shape)}",
            key=given.key,
            hint=_remedy(given),
        )
    height, width, channels = given.shape
    return height, width, channels


def _remedy(given: Given) -> str:
    if len(given.shape) == 2:
        shape = [*given.shape, 1]
        return f"put {{type: reshape, target_shape: {shape}}} before it: one channel"
    if given.is_first:
        return "such a layer is for pictures; numbers of a table have no neighbours"
    return (
        "put it before the layer that makes a vector of the picture: flatten, or a global pooling"
    )


def windows_over(  # what decides where the windows are
    config: Layer,
    given: Given,
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    *,
    argument: str,
    dilations: tuple[int, ...] = (1, 1),
) -> tuple[int, ...]:
    """How many windows there are along each axis but the last.

    DataError where no window fits, with the key of ``argument``.
    """
    padding: Any = getattr(config, "padding")  # noqa: B009  # all that have windows have it
    axes = zip(given.shape[:-1], sizes, strides, dilations, strict=False)
    counts = tuple(windows(n, size, by, padding, d).count for n, size, by, d in axes)
    if min(counts) >= 1:
        return counts
    reach = [(size - 1) * d + 1 for size, d in zip(sizes, dilations, strict=False)]
    is_written = given.key != PRESET
    remedy = f"a smaller {argument}, padding: same, or fewer layers before it that make the input"
    raise DataError(
        f"{given.name} ({config.type}) has windows of {_told(reach)}, its input is "
        f"{_told(given.shape[:-1])}",
        key=(*given.key, argument) if is_written else given.key,
        hint=f"{remedy} smaller"
        if is_written
        else "larger pictures, or a shorter list of filters: its stages make the picture smaller",
    )


def _told(extents: tuple[int, ...] | list[int]) -> str:
    if len(extents) == 1:
        return f"{extents[0]} steps"
    return " × ".join(map(str, extents))
