"""The pictures to damage: one of each format and mode that is read."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from fuzzing.files import Files, fitted
from fuzzing.mutations import damaged_files
from fuzzing.words import PICTURE_WORDS

NAME = "picture.png"


@cache
def seeds() -> Sequence[Files]:
    """A grey and a transparent PNG, one of 16 bits, a palette; JPEG turned by EXIF, and the others."""
    pixels = np.arange(8 * 6 * 4, dtype=np.uint8).reshape(8, 6, 4)
    grey, colour = Image.fromarray(pixels[..., 0]), Image.fromarray(pixels[..., :3])
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(pixels[..., 0].astype(np.uint16) << 8)
    saved = [
        *(_saved(image, "PNG") for image in (grey, Image.fromarray(pixels), deep)),
        _saved(colour.quantize(9), "PNG", transparency=2),
        _saved(colour, "JPEG", exif=exif),
        *(_saved(colour, kind) for kind in ("BMP", "GIF", "WEBP", "TIFF", "PPM")),
        _saved(grey, "TIFF", compression="tiff_lzw"),
    ]
    return tuple({NAME: content} for content in saved)


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged pictures."""
    return damaged_files(found, PICTURE_WORDS).map(fitted)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
