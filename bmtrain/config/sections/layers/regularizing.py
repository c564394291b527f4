"""What disturbs the values in training and is the identity otherwise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Rate


class DropoutLayer(Section):
    """Zeroes each input with probability ``rate`` in training and scales the rest by 1/(1−rate)."""

    type: Literal["dropout"]
    rate: Rate = Field(description="Probability that an input is zeroed, 0 ≤ rate < 1.")
