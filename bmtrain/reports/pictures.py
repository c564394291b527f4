"""Arrays as small PNGs that stand in the page itself."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Pixels of the longer side of what is shown; a larger picture is made smaller.
_MAX_SIDE: Final = 256
#: Of weights: the most negative, none, the most positive, as (red, green, blue); seen on light and dark.
_NEGATIVE, _NONE, _POSITIVE = (
    np.array(colour, np.float64) for colour in ((178, 54, 22), (250, 250, 250), (22, 92, 178))
)


def picture_uri(array: NDArray[Any]) -> str:
    """A picture (height, width[, 1 or 3]) as a ``data:`` URI.

    uint8 is shown as it is; all else is stretched from its smallest value, black, to its
    largest, white.
    """
    values = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if values.dtype != np.uint8:
        values = _stretched(values.astype(np.float64))
    return _uri(np.ascontiguousarray(values))


def weights_uri(weights: NDArray[Any], largest: float) -> str:
    """Weights (height, width) as a ``data:`` URI: red negative, white zero, blue positive.

    Args:
        largest: the size at which a colour is full.
    """
    share = np.clip(weights.astype(np.float64) / (largest or 1.0), -1, 1)[..., None]
    ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
    return _uri((_NONE + np.abs(share) * (ends - _NONE)).round().astype(np.uint8))


def _stretched(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return (255 * scaled).round().astype(np.uint8)


def _uri(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((_MAX_SIDE, _MAX_SIDE))  # a smaller one stays as it is
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
