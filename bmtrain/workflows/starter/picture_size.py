"""Which ``data.image`` suits a folder of pictures, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bmtrain.config.sections.image import DEFAULT_IGNORE, ImageSection
from bmtrain.data.checks.picture_checks import looked_at, usual_size
from bmtrain.data.pictures.picture_folders import read_folder
from bmtrain.errors import DataError

#: A first training of larger pictures takes long and learns little more.
_MAX_SIDE: Final = 64


def choose_image(folder: Path) -> tuple[ImageSection, str]:
    """The size that most pictures have, made smaller where that is large; grey if all are.

    Raises:
        DataError: the folder has another form, or its pictures cannot be read.
    """
    splits = read_folder(folder, DEFAULT_IGNORE)
    looks = looked_at([file for found in splits.values() for file in found.files])
    if not looks:
        raise DataError("no picture in it can be read", where=str(folder))
    width, height = usual_size(looks)
    shrink = min(1, _MAX_SIDE / max(width, height))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    is_grey = all(look.is_grey for look in looks)
    image = ImageSection(size=size, channels=1 if is_grey else 3)
    reason = f"height and width; most pictures are {height} × {width}"
    reason += ", made smaller for a first training" if shrink < 1 else ""
    return image, f"{reason}; {'all are grey' if is_grey else 'they have colours'}"
