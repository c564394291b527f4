"""Attributions and weights as PNG: red speaks against, blue for, white says nothing."""

from __future__ import annotations

import io
from math import ceil, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Pixels of the longer side that a small picture is blown up to, in whole numbers.
_SIDE: Final = 224
_NEGATIVE: Final = np.array([178.0, 54.0, 22.0])
_POSITIVE: Final = np.array([22.0, 92.0, 178.0])
#: Above this share of all sizes a colour is full: one pixel must not pale all others.
_FULL: Final = 0.995
MAX_TILES: Final = 64


def picture_png(example: NDArray[Any]) -> bytes:
    """The example (height, width[, 1 or 3]) as it is; what is not uint8 from its least to its most."""
    return _png(_blown_up(_colours(example)))


def heat_map_png(example: NDArray[Any], attributions: NDArray[np.float64]) -> bytes:
    """Attributions (height, width) over the example in pale grey."""
    grey = _colours(example).mean(axis=2, keepdims=True)
    pale = 255 - 0.35 * (255 - grey)
    share = _share(attributions)[..., None]
    ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
    return _png(_blown_up(pale + np.abs(share) * (ends - pale)))


def tiles_png(kernel: NDArray[Any]) -> bytes:
    """Weights (height, width, units), the first 64 units side by side, in one scale."""
    height, width, number = kernel.shape
    number = min(number, MAX_TILES)
    across = ceil(sqrt(number))
    down = ceil(number / across)
    sheet = np.full((down * (height + 1) + 1, across * (width + 1) + 1, 3), 128.0)
    shares = _share(kernel[..., :number].astype(np.float64))
    for unit in range(number):
        share = shares[..., unit, None]
        ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
        top, left = (unit // across) * (height + 1) + 1, (unit % across) * (width + 1) + 1
        sheet[top : top + height, left : left + width] = 255 + np.abs(share) * (ends - 255)
    return _png(_blown_up(sheet))


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """−1 to 1; 1 at the size that all but a few stay under."""
    sizes = np.abs(values)
    full = float(np.quantile(sizes, _FULL)) or float(sizes.max()) or 1.0
    return np.clip(values / full, -1, 1)


def _colours(example: NDArray[Any]) -> NDArray[np.float64]:
    """(height, width, 3), 0 to 255."""
    values = example.astype(np.float64)
    if example.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = 255 * (values - low) / ((high - low) or 1.0)
    return np.broadcast_to(values.reshape(*values.shape[:2], -1), (*values.shape[:2], 3))


def _blown_up(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    times = max(1, _SIDE // max(pixels.shape[:2]))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def _png(pixels: NDArray[np.float64]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(file, "PNG", optimize=True)
    return file.getvalue()
