"""Pooling."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Extent, Extents, Padding

_WINDOW = "Height and width of a window; one number is both."
_STRIDES = "From one window to the next; without it pool_size."


class MaxPooling1dLayer(Section):
    """The largest value of each window of steps."""

    type: Literal["max_pooling1d"]
    pool_size: Extent = Field(default=2, description="Steps in a window.")
    strides: Extent | None = Field(default=None, description=_STRIDES)
    padding: Padding = "valid"


class AveragePooling1dLayer(Section):
    """The mean of each window of steps; what pads it does not count."""

    type: Literal["average_pooling1d"]
    pool_size: Extent = Field(description="Steps in a window.")
    strides: Extent | None = Field(default=None, description=_STRIDES)
    padding: Padding = "valid"


class MaxPooling2dLayer(Section):
    """The largest value of each window of a picture, channel by channel."""

    type: Literal["max_pooling2d"]
    pool_size: Extents = Field(default=2, description=_WINDOW)
    strides: Extents | None = Field(default=None, description=_STRIDES)
    padding: Padding = "valid"


class AveragePooling2dLayer(Section):
    """The mean of each window of a picture, channel by channel; what pads it does not count."""

    type: Literal["average_pooling2d"]
    pool_size: Extents = Field(description=_WINDOW)
    strides: Extents | None = Field(default=None, description=_STRIDES)
    padding: Padding = "valid"


class GlobalAveragePooling1dLayer(Section):
    """The mean over the steps of a sequence, but for masked ones."""

    type: Literal["global_average_pooling1d"]


class GlobalMaxPooling1dLayer(Section):
    """The largest value over the steps of a sequence; it knows of no mask."""

    type: Literal["global_max_pooling1d"]


class GlobalAveragePooling2dLayer(Section):
    """The mean over all pixels of a picture, channel by channel."""

    type: Literal["global_average_pooling2d"]


class GlobalMaxPooling2dLayer(Section):
    """The largest value over all pixels of a picture, channel by channel."""

    type: Literal["global_max_pooling2d"]
