"""One picture's bytes as an array, by Pillow: bounded, and whatever is wrong is one message."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.raw.source import opened, reading
from bmtrain.data.wording.quoting import short
from bmtrain.errors import DataError

#: What Pillow may try: its other readers are of formats that nobody keeps training data in.
_FORMATS: Final = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
#: Pillow's own bound, beyond which it warns of a decompression bomb.
MAX_PIXELS: Final = 89_478_485
MAX_FILE_BYTES: Final = 1 << 28
_FILTER: Final = Image.Resampling.BILINEAR
#: Samples of 16 bits; elsewhere "I" is of 32 bits, and which value is white is not known.
_SIXTEEN_BITS: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
#: EXIF orientations of which width and height are exchanged.
_ON_ITS_SIDE: Final = frozenset({5, 6, 7, 8})
_SIXTEEN_BITS_IN_I: Final = frozenset({"PNG", "PPM"})


@contextmanager
def pillow_quiet() -> Iterator[None]:
    """Pillow warns of nothing inside but of decompression bombs, which are errors.

    Warnings are the process's: to be entered once, around the threads that decode.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode_file(path: Path, encoding: ImageEncoding) -> NDArray[np.uint8]:
    """The picture (height, width, channels) as ``encoding`` says; of an animation the first frame.

    Raises:
        DataError: it is no file, no picture, damaged, or too large.
    """
    with _picture(path) as image:
        return _encoded(image, encoding)


def picture_header(path: Path) -> tuple[tuple[int, int], bool]:
    """((width, height) when upright, whether it is grey), by the file's header. Raises as there."""
    with _picture(path) as image:
        is_turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _ON_ITS_SIDE
        size = image.size[::-1] if is_turned else image.size
        return size, image.mode in {"1", "L", "LA"} | _SIXTEEN_BITS


@contextmanager
def _picture(path: Path) -> Iterator[Image.Image]:
    with reading(path), opened(path) as (file, num_bytes):
        if num_bytes > MAX_FILE_BYTES:
            raise DataError(
                f"a picture may have {MAX_FILE_BYTES >> 20} MB, this file has "
                f"{num_bytes >> 20:,} MB",
                where=str(path),
            )
        content = file.read(num_bytes)
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(path, f"{image.width:,} × {image.height:,} pixels")
            yield image
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_large(path, "more pixels") from None
    except UnidentifiedImageError:
        raise DataError(
            "this is no picture of a known format: PNG, JPEG, BMP, GIF, WebP, TIFF, PPM",
            where=str(path),
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # its parsers raise whatever they stumble over
        reason = short(str(error)) or type(error).__name__
        raise DataError(f"the picture is damaged: {reason}", where=str(path)) from error


def _too_large(path: Path, size: str) -> DataError:
    return DataError(
        f"the picture is too large: expected at most {MAX_PIXELS:,} pixels, got {size}",
        where=str(path),
    )


def _encoded(image: Image.Image, encoding: ImageEncoding) -> NDArray[np.uint8]:
    channels = _in_channels(ImageOps.exif_transpose(image), image.format, encoding.channels)
    size = (encoding.width, encoding.height)
    if channels.size != size:
        if encoding.fit == "crop":
            channels = ImageOps.fit(channels, size, _FILTER)
        elif encoding.fit == "pad":
            channels = ImageOps.pad(channels, size, _FILTER)
        else:
            channels = channels.resize(size, _FILTER)
    return np.asarray(channels, np.uint8).reshape(encoding.input_shape)


def _in_channels(image: Image.Image, file_format: str | None, channels: int) -> Image.Image:
    """The picture in mode L or RGB."""
    if image.mode in _SIXTEEN_BITS or (image.mode == "I" and file_format in _SIXTEEN_BITS_IN_I):
        upper = np.asarray(image).astype(np.uint32) >> 8
        image = Image.fromarray(upper.astype(np.uint8))
    elif image.mode in {"I", "F"}:
        raise ValueError("numbers of 32 bits, of which none is known to be white")
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("L" if channels == 1 else "RGB")
