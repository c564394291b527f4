"""How the names of pictures end; what a file is, is told by its content."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PICTURE_SUFFIXES: Final = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)


def is_picture_name(name: str) -> bool:
    """Whether a file is called as pictures are."""
    return Path(name).suffix.lower() in PICTURE_SUFFIXES
