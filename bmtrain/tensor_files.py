"""Named arrays in the safetensors format, read so that a hostile file can do nothing.

The file: 8 bytes little-endian header length, a JSON header
``{name: {dtype, shape, data_offsets: [begin, end]}}``, then the arrays' bytes.
Written by the ``safetensors`` package; read here, because here everything the header
promises is compared with the file's real size before anything is allocated.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json

Array = NDArray[Any]

_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,255}")
#: Of a tensor, in a file or in the manifest beside it.
MAX_RANK = 32
_MAX_ELEMENTS = 2**48
_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """Where an array lies in its file: bytes ``begin`` to ``end``, counted from the file's start."""

    dtype: str  # NumPy's name
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A file's bytes and what lies where in them."""

    content: NDArray[np.uint8]
    places: Mapping[str, TensorPlace]

    def tensor(self, name: str) -> Array:
        """The array, a view of the content where alignment allows."""
        place = self.places[name]
        array = self.content[place.begin : place.end].view(place.dtype).reshape(place.shape)
        return np.require(array, requirements="A")

    def tensors(self) -> dict[str, Array]:
        """All arrays, by name."""
        return {name: self.tensor(name) for name in self.places}


def encode(tensors: Mapping[str, Array]) -> bytes:
    """The arrays as the bytes of one file.

    Raises:
        ValueError: a name, a dtype or the number of arrays is outside the format.
    """
    from safetensors.numpy import save

    for name, array in tensors.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!a} is not a name for a tensor")
        if array.dtype.newbyteorder("<") not in _DTYPES.values():
            raise ValueError(f"{name}: tensors of dtype {array.dtype} are not stored")
    # asarray, not ascontiguousarray: the latter makes a scalar one-dimensional.
    ordered = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    content: bytes = save(ordered)
    places_in(content)  # what is written can be read: the header's bounds hold
    return content


def places_in(content: bytes) -> dict[str, TensorPlace]:
    """Where each array lies in a file's bytes. Raises ``ValueError`` as ``read_header`` does."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    return read_header(content[_LENGTH_BYTES : _LENGTH_BYTES + length], len(content))


def read_header(header: bytes, file_size: int) -> dict[str, TensorPlace]:
    """Checks a header: closed names and dtypes, no gap, no overlap, and the file ends with the last.

    Raises:
        ValueError: it is not so; the message names the tensor.
    """
    document = strict_json.decode(header)
    strict_json.require(isinstance(document, dict), "the header is not a mapping")
    places = {}
    data_start = _LENGTH_BYTES + len(header)
    for name, entry in document.items():
        if name == "__metadata__":
            continue
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:64]!a} is not a name for a tensor")
        places[name] = _place(name, entry, data_start)
    position = data_start
    for name, place in sorted(places.items(), key=lambda item: (item[1].begin, item[1].end)):
        if place.begin != position:
            raise ValueError(f"tensor {name}: its bytes overlap others or leave a gap")
        position = place.end
    if position != file_size:
        raise ValueError(f"the tensors end at byte {position}, the file at byte {file_size}")
    return places


def _place(name: str, entry: Any, data_start: int) -> TensorPlace:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name}: expected dtype, shape and data_offsets")
    dtype = _DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise ValueError(f"tensor {name}: dtype {entry['dtype']!a:.40} is not known")
    shape = _whole_numbers(entry["shape"])
    offsets = _whole_numbers(entry["data_offsets"])
    # NumPy refuses an empty array whose other sizes overflow: leave the zeros out.
    if shape is None or len(shape) > MAX_RANK or math.prod(filter(None, shape)) > _MAX_ELEMENTS:
        raise ValueError(f"tensor {name}: its shape is not a list of sizes")
    if offsets is None or len(offsets) != 2:
        raise ValueError(f"tensor {name}: data_offsets is not a pair of positions")
    if offsets[1] - offsets[0] != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"tensor {name}: its shape {shape} does not fit its number of bytes")
    return TensorPlace(dtype.name, shape, data_start + offsets[0], data_start + offsets[1])


def _whole_numbers(value: Any) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    if all(type(item) is int and 0 <= item <= _MAX_ELEMENTS for item in value):
        return tuple(value)
    return None


def read_places(
    descriptor: int, file_size: int, whole_size: int | None = None
) -> dict[str, TensorPlace]:
    """Reads and checks the header alone, from the start of an open file of ``file_size`` bytes.

    ``whole_size`` is the size that the file should have, if it is known to be cut off.

    Raises:
        ValueError: it does not fit the file. OSError: it cannot be read.
    """
    if file_size < _LENGTH_BYTES:
        raise ValueError(f"{file_size} bytes are too few for a header")
    length = int.from_bytes(os.pread(descriptor, _LENGTH_BYTES, 0), "little")
    if length > min(file_size - _LENGTH_BYTES, strict_json.MAX_BYTES):
        raise ValueError(f"its header promises {length} bytes, the file has {file_size}")
    header = os.pread(descriptor, length, _LENGTH_BYTES)
    if len(header) != length:
        raise ValueError("the file ends inside its header")
    return read_header(header, file_size if whole_size is None else whole_size)


def read_content(descriptor: int, file_size: int) -> NDArray[np.uint8]:
    """The file's ``file_size`` bytes, in one allocation.

    Raises:
        ValueError: the file is shorter. OSError: it cannot be read.
    """
    content = np.empty(file_size, np.uint8)
    view = content.data
    position = 0
    while position < file_size:
        num_read = os.preadv(descriptor, [view[position : position + 2**30]], position)
        if num_read == 0:
            raise ValueError(f"the file ends at byte {position}, expected {file_size}")
        position += num_read
    return content
