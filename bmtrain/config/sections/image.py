"""``data.image:`` how pictures become arrays of one shape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section

Side = Annotated[int, Field(ge=1, le=4096)]

#: What desktops leave in folders.
DEFAULT_IGNORE = (".DS_Store", "._*", "Thumbs.db", "desktop.ini")
FitKind = Literal["stretch", "crop", "pad"]


class ImageSection(Section):
    """Pictures from files: turned as their EXIF orientation says, 8 bits per channel, resized.

    What is transparent lies on white. Of 16 bits the upper 8 are taken. One channel is the luma
    0.299 R + 0.587 G + 0.114 B. Resizing is bilinear, over all pixels that an output pixel covers;
    a picture that has the size already keeps its pixels.
    """

    size: tuple[Side, ...] = Field(
        min_length=2, max_length=2, description="[height, width] in pixels."
    )
    channels: Literal[1, 3] = Field(default=3, description="1: grey; 3: red, green, blue.")
    fit: FitKind = Field(
        default="stretch",
        description="For pictures of another aspect ratio. stretch: both sides to the size; crop: "
        "to cover the size, the middle is kept; pad: to lie within it, black around.",
    )
    column: str | None = Field(
        default=None,
        description="Of a table: the column of paths, relative to the table. May be left out where "
        "the table has one column beside the label.",
    )
    ignore: tuple[str, ...] = Field(
        default=DEFAULT_IGNORE,
        description="Names in a folder that are passed over beside what desktops leave there; *, ? "
        "and [] as in a shell. Any other that is no picture is an error.",
    )
