"""``training.augmentation:`` how training examples are varied, anew in each epoch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section

_Share = Annotated[float, Field(ge=0, lt=1)]


class Shift(Section):
    """Moves a picture; what comes in at the rim is 0."""

    type: Literal["shift"]
    height: _Share = Field(
        default=0.1, description="Up or down by up to this share of the height, evenly drawn."
    )
    width: _Share = Field(default=0.1, description="Left or right, of the width.")


class Rotate(Section):
    """Turns a picture about its centre; what comes in at the rim is 0."""

    type: Literal["rotate"]
    degrees: Annotated[float, Field(gt=0, le=180)] = Field(
        description="By up to so many, either way, evenly drawn."
    )


class Zoom(Section):
    """Enlarges or shrinks a picture about its centre, both axes alike."""

    type: Literal["zoom"]
    factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        description="The scale is evenly drawn from 1 − factor to 1 + factor."
    )


class Flip(Section):
    """Mirrors half of the pictures."""

    type: Literal["flip"]
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = Field(
        default="horizontal", description="horizontal: left becomes right."
    )


class Cutout(Section):
    """Sets a square of a picture to 0 (DeVries & Taylor 2017); it may reach over the rim."""

    type: Literal["cutout"]
    size: Annotated[float, Field(gt=0, le=1)] = Field(
        description="Side of the square as a share of the shorter side of the picture."
    )


class Noise(Section):
    """Adds normal noise to each input, after ``data.normalize``."""

    type: Literal["noise"]
    stddev: Annotated[float, Field(gt=0)] = Field(description="In units of the scaled inputs.")


class InputDropout(Section):
    """Sets single inputs to 0, after ``data.normalize``: standardized, that is their mean."""

    type: Literal["dropout"]
    rate: Annotated[float, Field(gt=0, lt=1)] = Field(description="Probability of each input.")


class MaskTokens(Section):
    """Makes single tokens of a text unknown ones; padding stays."""

    type: Literal["mask_tokens"]
    rate: Annotated[float, Field(gt=0, lt=1)] = Field(description="Probability of each token.")


Augmentation = Annotated[
    Shift | Rotate | Zoom | Flip | Cutout | Noise | InputDropout | MaskTokens,
    Field(discriminator="type"),
]
