"""What can be said of pictures before they were brought to one size: sizes, shapes, colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bmtrain.data.checks.finding import Finding
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.dataset import Dataset
from bmtrain.data.wording.quoting import short_path
from bmtrain.errors import DataError

#: Headers that are read, evenly over all pictures: 0.1 s.
_MAX_LOOKED_AT: Final = 1000
#: A ratio of the sides that is so many times the model's is a picture of another kind.
_ODD_RATIO: Final = 1.5
#: Less than this is no pattern.
_SHARE: Final = 0.01
_KEY: Final = ("data", "image")


@dataclass(frozen=True, slots=True)
class PictureLook:
    """The header of one picture: sides in pixels as stored, whether it is grey."""

    file: Path
    width: int
    height: int
    is_grey: bool


def picture_findings(dataset: Dataset) -> Iterator[Finding]:
    """Which sizes there are, what is squeezed, enlarged or grey in three channels."""
    encoding = dataset.facts.encoding
    if not isinstance(encoding, ImageEncoding):
        return
    looks = looked_at([file for split in dataset.splits.values() for file in split.files or ()])
    if not looks:
        return
    yield Finding("ok", _sizes(looks))
    yield from _odd(looks, encoding)
    enlarged = [look for look in looks if look.width < encoding.width]
    enlarged = [look for look in enlarged if look.height < encoding.height]
    if len(enlarged) > len(looks) / 2:
        message = (
            f"{_of(enlarged, looks)} smaller than {encoding.height} × {encoding.width} and "
            "enlarged, which adds work and nothing to see; a smaller data.image.size would do"
        )
        yield Finding("warning", message, _KEY)
    if encoding.channels == 3 and all(look.is_grey for look in looks):
        message = "all pictures are grey: data.image.channels: 1 has all there is, for a third"
        yield Finding("warning", message, (*_KEY, "channels"))


def looked_at(files: Sequence[Path]) -> list[PictureLook]:
    """The headers of at most 1,000 of the files, evenly over all; those that are gone are left out."""
    from bmtrain.data.pictures.picture_decoding import picture_header, pillow_quiet

    number = min(len(files), _MAX_LOOKED_AT)
    looks = []
    with pillow_quiet():
        for index in np.linspace(0, len(files) - 1, number).astype(np.int64).tolist():
            with suppress(DataError):
                (width, height), is_grey = picture_header(files[index])
                looks.append(PictureLook(files[index], width, height, is_grey))
    return looks


def usual_size(looks: Sequence[PictureLook]) -> tuple[int, int]:
    """The most frequent (width, height)."""
    return Counter((look.width, look.height) for look in looks).most_common(1)[0][0]


def _sizes(looks: Sequence[PictureLook]) -> str:
    width, height = usual_size(looks)
    if all((look.width, look.height) == (width, height) for look in looks):
        return f"pictures of {height} × {width} (height × width)"
    areas = sorted(looks, key=lambda look: look.width * look.height)
    low, high = areas[0], areas[-1]
    return (
        f"pictures from {low.height} × {low.width} to {high.height} × {high.width} "
        f"(height × width), most often {height} × {width}"
    )


def _odd(looks: Sequence[PictureLook], encoding: ImageEncoding) -> Iterator[Finding]:
    wanted = encoding.width / encoding.height
    odd = [
        look
        for look in looks
        if not 1 / _ODD_RATIO <= look.width / look.height / wanted <= _ODD_RATIO
    ]
    if not odd:
        return
    done = {"stretch": "squeezed", "crop": "cut off", "pad": "in black bars"}[encoding.fit]
    first = odd[0]
    message = (
        f"{_of(odd, looks)} of a very different shape and {done}, as {short_path(first.file)} of "
        f"{first.height} × {first.width}; data.image.fit says how: stretch, crop or pad"
    )
    yield Finding("warning" if len(odd) > _SHARE * len(looks) else "ok", message, _KEY)


def _of(some: Sequence[PictureLook], looks: Sequence[PictureLook]) -> str:
    return f"{len(some):,} of {len(looks):,} pictures looked at {'is' if len(some) == 1 else 'are'}"
