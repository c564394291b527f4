"""Arrays as PNGs: examples, attributions over them, weights. Blue is positive, red negative."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Pixels of the longer side that a small picture is blown up to, in whole numbers.
_SIDE: Final = 224
_NEGATIVE: Final = np.array([178.0, 54.0, 22.0])
_POSITIVE: Final = np.array([22.0, 92.0, 178.0])
_WHITE: Final = 255.0
_GREY: Final = 128.0
#: Above this share of all sizes a colour is full: one pixel must not pale all others.
_FULL: Final = 0.995
#: Units of a layer that are drawn: those that weigh most.
MAX_UNITS: Final = 32


def picture_png(example: NDArray[Any], *, most: int | None = None) -> bytes:
    """The example (height, width[, 1 or 3]): uint8 as it is, all else from its least to its most.

    Args:
        most: pixels of the longer side; a larger picture is made smaller.
    """
    return _png(_blown_up(_colours(example)), most)


def heat_map_png(example: NDArray[Any], attributions: NDArray[np.float64]) -> bytes:
    """Attributions (height, width) over the example in pale grey."""
    grey = _colours(example).mean(axis=2, keepdims=True)
    pale = _WHITE - 0.35 * (_WHITE - grey)
    return _png(_blown_up(_towards_ends(pale, _shares(attributions))))


@dataclass(frozen=True, slots=True)
class Tiles:
    """Units of a layer as pictures in one scale: white weighs nothing.

    Attributes:
        units: the numbers of those that are drawn, the one that weighs most first.
        pixels: float64 (units, height, width, 3), 0 to 255.
        full: the size of a weight that has the full colour, as all larger ones have.
    """

    units: tuple[int, ...]
    pixels: NDArray[np.float64]
    full: float

    def png(self, place: int) -> bytes:
        """The picture of ``units[place]``."""
        return _png(_blown_up(self.pixels[place]))

    def sheet_png(self) -> bytes:
        """All of them, row by row, with grey lines between."""
        number, height, width, _ = self.pixels.shape
        across = ceil(sqrt(number))
        down = ceil(number / across)
        sheet = np.full((down * (height + 1) + 1, across * (width + 1) + 1, 3), _GREY)
        for place, tile in enumerate(self.pixels):
            top, left = (place // across) * (height + 1) + 1, (place % across) * (width + 1) + 1
            sheet[top : top + height, left : left + width] = tile
        return _png(_blown_up(sheet))


def weight_tiles(kernel: NDArray[Any]) -> Tiles:
    """Weights (height, width, units) as pictures of the units whose weights are largest."""
    units = np.moveaxis(kernel.astype(np.float64), -1, 0)
    # Those that hardly differ from none say nothing.
    order = np.argsort(-np.sqrt((units**2).sum(axis=(1, 2))), kind="stable")[:MAX_UNITS]
    white = np.full((*units[order].shape, 1), _WHITE)
    drawn = units[order]
    return Tiles(tuple(order.tolist()), _towards_ends(white, _shares(drawn)), _full(drawn))


def data_uri(png: bytes) -> str:
    """A PNG as it stands in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """−1 to 1; 1 at the size that all but a few stay under."""
    return np.clip(values / _full(values), -1, 1)


def _full(values: NDArray[np.float64]) -> float:
    sizes = np.abs(values)
    return float(np.quantile(sizes, _FULL)) or float(sizes.max()) or 1.0


def _towards_ends(start: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """From a grey (…, 1) to blue or red (…, 3), as far as the shares (…) say."""
    share = shares[..., None]
    ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
    return np.asarray(start + np.abs(share) * (ends - start))


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


def _png(pixels: NDArray[np.float64], most: int | None = None) -> bytes:
    from PIL import Image

    image = Image.fromarray(pixels.round().astype(np.uint8))
    if most is not None:
        image.thumbnail((most, most))  # a smaller one stays as it is
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
