"""One array in NumPy's .npy format, sizes checked before anything is allocated.

The header is a Python literal; it is matched against the one form that NumPy
writes, and nothing is evaluated (numpy.lib.format, versions 1.0 to 3.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader
from math import prod
from typing import IO, Any

import numpy as np

from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import RawArray
from bmtrain.data.raw.storage import Storage
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError

_MAGIC = b"\x93NUMPY"
_MAX_HEADER_BYTES = 1 << 16
_HEADER = re.compile(
    r"""\{\s*['"]descr['"]:\s*['"](?P<descr>[^'"]*)['"]\s*,
        \s*['"]fortran_order['"]:\s*(?P<fortran>True|False)\s*,
        \s*['"]shape['"]:\s*\((?P<shape>[\d\s,L]*)\)\s*,?\s*\}\s*""",
    re.VERBOSE,
)
_DTYPE = re.compile(r"[<>|=]?([biuf]\d{1,2}|U[1-9]\d{0,8}|\?)")
_OBJECT = re.compile(r"['\"][|<>=]?O\d?['\"]")


def read_array(stream: IO[bytes], size: int, where: str) -> RawArray:
    """One array from ``stream``, whose ``size`` in bytes must be what its header implies."""
    dtype, shape, is_fortran = fitting_header(stream, size, where)
    array = _rows(stream, dtype, shape, where, is_fortran=is_fortran)
    stream.read(1)  # at the end, where zip members verify their checksum
    return array


def rows_in_file(file: BufferedReader, size: int, where: str, storage: Storage) -> FileRows | None:
    """The array of an open .npy file, which stays there; None where it is to be read.

    Of an array in Fortran's order an example is all over the file: see ``Storage``.
    """
    dtype, shape, is_fortran = fitting_header(file, size, where)
    offset = size - prod(shape) * dtype.itemsize
    if not storage.streams(shape, dtype) or dtype.kind == "U" or not prod(shape):
        return None
    if is_fortran and len(shape) > 1 and not storage.any_order:
        raise fortrans_order(where)
    return FileRows.of(file.fileno(), where, dtype, shape, offset, is_fortran=is_fortran)


def fortrans_order(where: str) -> DataError:
    """The error of an array that is to be streamed, and whose examples are all over its file."""
    return DataError(
        "the array is in Fortran's order, and cannot be streamed as it is",
        where=where,
        hint="bmtrain convert writes one that can; so does numpy.ascontiguousarray",
    )


def _rows(
    stream: IO[bytes],
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    where: str,
    *,
    is_fortran: bool = False,
) -> RawArray:
    """The next values of the stream, in this ``shape``."""
    num_bytes = prod(shape) * dtype.itemsize
    require_memory(num_bytes, where=where)
    values = np.empty(num_bytes, np.uint8)
    num_read = 0
    while num_read < num_bytes:
        chunk = stream.read(min(num_bytes - num_read, 1 << 24))
        if not chunk:
            raise DataError("the array is truncated: its data ends early", where=where)
        values[num_read : num_read + len(chunk)] = np.frombuffer(chunk, np.uint8)
        num_read += len(chunk)
    array = values.view(dtype).reshape(shape, order="F" if is_fortran else "C")
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def array_blocks(
    stream: IO[bytes], size: int | None, where: str, num_rows: int
) -> Iterator[tuple[int, RawArray]]:
    """(number of the first row, rows) of one array, ``num_rows`` at a time; in Fortran's order whole.

    ``size``: as in ``read_array``; None: not known, it comes through a pipe.
    """
    dtype, shape, is_fortran = fitting_header(stream, size, where)
    if is_fortran and len(shape) > 1:
        yield 0, _rows(stream, dtype, shape, where, is_fortran=True)
        return
    for start in range(0, shape[0], num_rows):
        rows = (min(num_rows, shape[0] - start), *shape[1:])
        yield start, _rows(stream, dtype, rows, where)
    stream.read(1)  # as in read_array


def num_examples(stream: IO[bytes], size: int, where: str) -> int:
    """The first axis of the array in ``stream``, of which only the header is read."""
    return fitting_header(stream, size, where)[1][0]


def fitting_header(
    stream: IO[bytes], size: int | None, where: str
) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    """(dtype, shape of one axis at least, is_fortran) of an array of ``size`` bytes in all."""
    dtype, shape, is_fortran, header_size = _read_header(stream, where)
    num_bytes = prod(shape) * dtype.itemsize
    if size is not None and header_size + num_bytes != size:
        state = "truncated" if header_size + num_bytes > size else "too long"
        raise DataError(
            f"the array is {state}: its header declares {dtype} values of shape {shape}, "
            f"{num_bytes:,} bytes; {size - header_size:,} are there",
            where=where,
        )
    if not shape:
        raise DataError("expected one entry per example, got a single number", where=where)
    return dtype, shape, is_fortran


def _read_header(stream: IO[bytes], where: str) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """(dtype, shape, is_fortran, bytes read)."""
    start = stream.read(8)
    if start[:6] != _MAGIC or len(start) < 8 or start[6] not in (1, 2, 3):
        raise DataError(
            f"wrong magic number: expected an .npy array of format 1 to 3, got {start.hex(' ')}",
            where=where,
        )
    length_size = 2 if start[6] == 1 else 4
    length_bytes = stream.read(length_size)
    length = int.from_bytes(length_bytes, "little")
    if len(length_bytes) < length_size or length > _MAX_HEADER_BYTES:
        raise DataError("the .npy header is damaged: its length is wrong", where=where)
    text = stream.read(length).decode("utf-8", errors="replace")
    if _OBJECT.search(text):
        raise DataError(
            "the array holds Python objects, which only pickle can read, and pickle runs code",
            where=where,
            hint="store numbers, or texts as a fixed-width string array",
        )
    match = _HEADER.fullmatch(text)
    if match is None:
        raise DataError(
            f"the .npy header is damaged or not of one plain array: {text[:80]!r}", where=where
        )
    dtype = _parse_dtype(match["descr"], where)
    sizes = [int(size.rstrip("L")) for size in re.findall(r"\d{1,19}L?", match["shape"])]
    if len(sizes) > 32 or prod(max(size, 1) for size in sizes) >= 2**56:
        raise DataError(
            f"the .npy header declares an impossible shape {tuple(sizes[:8])}", where=where
        )
    return dtype, tuple(sizes), match["fortran"] == "True", 8 + length_size + length


def _parse_dtype(descr: str, where: str) -> np.dtype[Any]:
    try:
        if _DTYPE.fullmatch(descr):
            return np.dtype(descr)
    except TypeError:
        pass
    raise DataError(
        f"expected numbers, truth values or texts, got an array of type {quoted(descr)}",
        where=where,
    )
