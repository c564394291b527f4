"""Pooling."""

from __future__ import annotations

from typing import Literal

from bmtrain.config.sections.base import Section


class GlobalAveragePooling1dLayer(Section):
    """The mean over the steps of a sequence, but for masked ones."""

    type: Literal["global_average_pooling1d"]


class GlobalMaxPooling1dLayer(Section):
    """The largest value over the steps of a sequence; it knows of no mask."""

    type: Literal["global_max_pooling1d"]
