"""What disturbs the values in training and is the identity otherwise."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Rate


class DropoutLayer(Section):
    """Zeroes each input with probability ``rate`` in training and scales the rest by 1/(1−rate)."""

    type: Literal["dropout"]
    rate: Rate = Field(description="Probability that an input is zeroed, 0 ≤ rate < 1.")


class SpatialDropout1dLayer(Section):
    """Dropout of whole features: all steps of one, or none."""

    type: Literal["spatial_dropout1d"]
    rate: Rate = Field(description="Probability that a feature is zeroed, 0 ≤ rate < 1.")


class SpatialDropout2dLayer(Section):
    """Dropout of whole channels: all pixels of one, or none."""

    type: Literal["spatial_dropout2d"]
    rate: Rate = Field(description="Probability that a channel is zeroed, 0 ≤ rate < 1.")


class GaussianDropoutLayer(Section):
    """Multiplies each input in training by a number from N(1, rate/(1−rate))."""

    type: Literal["gaussian_dropout"]
    rate: Rate = Field(description="The variance is rate/(1−rate), as that of dropout.")


class GaussianNoiseLayer(Section):
    """Adds a number from N(0, stddev²) to each input in training."""

    type: Literal["gaussian_noise"]
    stddev: Annotated[float, Field(ge=0, le=1)] = Field(description="Standard deviation.")
