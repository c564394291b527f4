"""Which ``data.image`` suits some pictures, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bmtrain.config.sections.image import ImageSection
from bmtrain.data.checks.picture_checks import looked_at, usual_size
from bmtrain.errors import DataError

#: A first training of larger pictures takes long and learns little more.
_MAX_SIDE: Final = 64


def choose_image(
    files: Sequence[Path], where: str, column: str | None = None
) -> tuple[ImageSection, str]:
    """The size that most pictures have, made smaller where that is large; grey if all are.

    Args:
        files: the pictures.
        where: the folder that they are in, or the table that names them.
        column: of the table.

    Raises:
        DataError: none of them can be read.
    """
    looks = looked_at(files)
    if not looks:
        raise DataError("no picture in it can be read", where=where)
    width, height = usual_size(looks)
    shrink = min(1, _MAX_SIDE / max(width, height))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    is_grey = all(look.is_grey for look in looks)
    image = ImageSection(size=size, channels=1 if is_grey else 3, column=column)
    reason = f"most pictures are {height} × {width} (height × width)"
    reason += ", made smaller for a first training" if shrink < 1 else ""
    return image, f"{reason}; {'all are grey' if is_grey else 'they have colours'}"
