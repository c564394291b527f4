"""Normalisations over the batch or the example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Epsilon


class BatchNormalizationLayer(Section):
    """Normalises each feature over the batch (Ioffe & Szegedy 2015), last axis."""

    type: Literal["batch_normalization"]
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.99, description="Of the moving statistics used at evaluation."
    )
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True


class LayerNormalizationLayer(Section):
    """Normalises each example over its last axis (Ba et al. 2016)."""

    type: Literal["layer_normalization"]
    epsilon: Epsilon = 0.001
    center: bool = True
    scale: bool = True
