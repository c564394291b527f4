"""What changes the size of a picture and learns nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.layers.arguments import Extents

_Rim = Annotated[int, Field(ge=0, le=1_000_000)]


class ZeroPadding2dLayer(Section):
    """Zeros around a picture."""

    type: Literal["zero_padding2d"]
    padding: _Rim | Annotated[tuple[_Rim, ...], Field(min_length=2, max_length=2)] = Field(
        default=1, description="Rows above and below, columns left and right; one number is both."
    )


class UpSampling2dLayer(Section):
    """Each pixel repeated."""

    type: Literal["up_sampling2d"]
    size: Extents = Field(default=2, description="How often, down and across; one number is both.")
