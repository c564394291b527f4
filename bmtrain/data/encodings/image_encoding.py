"""Pictures as inputs: to which size and channels, and how; kept with the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, get_args

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.sections.image import FitKind, ImageSection
from bmtrain.data.raw.columns import Column, RawColumns
from bmtrain.data.raw.source import Place, RawArray
from bmtrain.errors import DataError

_MAX_SIDE: Final = 4096
_KEYS: Final = {"height", "width", "channels", "fit", "column"}


@dataclass(frozen=True, slots=True)
class ImageEncoding:
    """What ``data.image`` says; readers of pictures apply it while they decode.

    Attributes:
        column: of a table with paths, in training; None: it was a folder, or the only column.
    """

    kind: ClassVar[str] = "image"
    height: int
    width: int
    channels: int
    fit: FitKind = "stretch"
    column: str | None = None

    @classmethod
    def of(cls, section: ImageSection) -> ImageEncoding:
        """The encoding that a config asks for: nothing is fitted."""
        height, width = section.size
        return cls(height, width, section.channels, section.fit, section.column)

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """A table of pictures has paths, which are no inputs."""
        return None

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Pixels have none."""
        return None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)

    @property
    def input_dtype(self) -> str:
        """Always uint8."""
        return "uint8"

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """All are, of shape ()."""
        return np.array(True)  # an array's content

    @property
    def in_words(self) -> str:
        """How to make the same inputs elsewhere."""
        grey = "luma 0.299 R + 0.587 G + 0.114 B; " if self.channels == 1 else ""
        return (
            "upright by the EXIF orientation; the upper 8 of 16 bits; what is transparent on "
            f"white; {grey}{self.fit} to {self.height} × {self.width}, bilinear over all pixels "
            "that an output pixel covers (Pillow's BILINEAR)"
        )

    @property
    def vocabulary_size(self) -> None:
        """Pixels are no tokens."""
        return None

    def encode(self, raw: RawColumns, place: Place) -> RawArray:
        """DataError: whoever has pictures has decoded them."""
        del raw
        raise DataError(
            "expected pictures, got the columns of a table",
            where=place.name,
        )

    def as_json(self) -> dict[str, Any]:
        """``{"height", "width", "channels", "fit", "column"}``."""
        return {name: getattr(self, name) for name in ("height", "width", "channels")} | {
            "fit": self.fit,
            "column": self.column,
        }


def image_encoding_from_json(document: dict[str, Any]) -> ImageEncoding:
    """Back again. Raises ``ValueError`` naming the entry."""
    what = f"encoding: expected {', '.join(sorted(_KEYS))}"
    strict_json.require(document.keys() == _KEYS, what)
    for name in ("height", "width"):
        side = document[name]
        strict_json.require(
            type(side) is int and 1 <= side <= _MAX_SIDE,
            f"encoding.{name}: expected 1 to {_MAX_SIDE}",
        )
    channels, fit, column = document["channels"], document["fit"], document["column"]
    strict_json.require(
        type(channels) is int and channels in (1, 3), "encoding.channels: expected 1 or 3"
    )
    fits = get_args(FitKind)
    strict_json.require(
        isinstance(fit, str) and fit in fits, f"encoding.fit: expected {', '.join(fits)}"
    )
    strict_json.require(
        column is None or isinstance(column, str), "encoding.column: expected null or a text"
    )
    return ImageEncoding(document["height"], document["width"], channels, fit, column)
