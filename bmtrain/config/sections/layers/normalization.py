"""Normalisations over the batch or the example."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Center, Epsilon, Scale
from bmtrain.config.sections.layers.initializers import VectorInitializer


class BatchNormalizationLayer(Section):
    """Normalises each feature over the batch (Ioffe & Szegedy 2015), last axis."""

    type: Literal["batch_normalization"]
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.99, description="Of the moving statistics used at evaluation."
    )
    epsilon: Epsilon = 0.001
    center: Center = True
    scale: Scale = True
    beta_initializer: VectorInitializer = "zeros"
    gamma_initializer: VectorInitializer = "ones"


class LayerNormalizationLayer(Section):
    """Normalises each example over its last axis (Ba et al. 2016)."""

    type: Literal["layer_normalization"]
    epsilon: Epsilon = 0.001
    center: Center = True
    scale: Scale = True
    beta_initializer: VectorInitializer = "zeros"
    gamma_initializer: VectorInitializer = "ones"


class GroupNormalizationLayer(Section):
    """Normalises each example over its pixels or steps and a group of channels (Wu & He 2018)."""

    type: Literal["group_normalization"]
    groups: Annotated[int, Field(ge=-1, le=1_000_000)] = Field(
        default=32, description="Must divide the channels; -1: each channel is one."
    )
    epsilon: Epsilon = 0.001
    center: Center = True
    scale: Scale = True
    beta_initializer: VectorInitializer = "zeros"
    gamma_initializer: VectorInitializer = "ones"


class RmsNormalizationLayer(Section):
    """x / √(mean of x² over the last axis + ε) · scale (Zhang & Sennrich 2019)."""

    type: Literal["rms_normalization"]
    epsilon: Epsilon = 1e-6


class UnitNormalizationLayer(Section):
    """x / ‖x‖ over the last axis: every vector has length 1."""

    type: Literal["unit_normalization"]
