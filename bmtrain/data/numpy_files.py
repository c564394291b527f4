""".npy and .npz files, never through pickle, sizes checked before anything is allocated.

The header is a Python literal; it is matched against the one form that NumPy
writes, and nothing is evaluated (numpy.lib.format, versions 1.0 to 3.0).
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from bmtrain.data.dataset import SplitName
from bmtrain.data.memory import require_memory
from bmtrain.data.source import (
    Place,
    RawArray,
    RawLabels,
    RawPart,
    Source,
    reading,
    require_regular_file,
)
from bmtrain.errors import DataError

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
_ARRAY_NAMES = frozenset(f"{kind}_{split}" for kind in "xy" for split in _SPLITS) | {"x", "y"}
NPY_NAMES = frozenset(f"{name}.npy" for name in _ARRAY_NAMES)

_MAGIC = b"\x93NUMPY"
_MAX_HEADER_BYTES = 1 << 16
_HEADER = re.compile(
    r"""\{\s*['"]descr['"]:\s*['"](?P<descr>[^'"]*)['"]\s*,
        \s*['"]fortran_order['"]:\s*(?P<fortran>True|False)\s*,
        \s*['"]shape['"]:\s*\((?P<shape>[\d\s,L]*)\)\s*,?\s*\}\s*""",
    re.VERBOSE,
)
_DTYPE = re.compile(r"[<>|=]?([biuf]\d{1,2}|U\d{1,9}|\?)")
_OBJECT = re.compile(r"['\"][|<>=]?O\d?['\"]")
# Deflate cannot shrink data further than this, so a small member cannot claim more.
_MAX_DEFLATE_RATIO = 1032
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1

#: The array of one name, None where there is none of that name.
_Read = Callable[[str], RawArray | None]


def read_npy(path: Path) -> RawArray:
    """The array in the .npy file ``path``, in native byte order; DataError names the file."""
    file_size = require_regular_file(path)
    with reading(path), path.open("rb") as file:
        return _read_array(file, file_size, str(path))


def read_npz(path: Path) -> Source:
    """``x_train``, ``y_train``, optionally ``x_validation``, ``y_validation``, ``x_test``, …"""
    with _NpzFile(path) as archive:
        return _read_splits(archive.read, archive.names, str(path), f"{path}: ")


def read_npz_part(path: Path) -> RawPart:
    """The examples of an .npz file: ``x`` (and ``y``), else ``x_test``, else ``x_train``."""
    with _NpzFile(path) as archive:
        return _read_any_part(archive.read, archive.names, str(path), f"{path}: ")


def read_npy_directory(directory: Path) -> Source:
    """A directory of ``x_train.npy``, ``y_train.npy`` and so on."""
    read = _directory_reader(directory)
    return _read_splits(read, _npy_names(directory), str(directory), f"{directory}/")


def read_npy_directory_part(directory: Path) -> RawPart:
    """The examples of a directory: ``x.npy`` (``y.npy``), else ``x_test``, else ``x_train``."""
    read = _directory_reader(directory)
    return _read_any_part(read, _npy_names(directory), str(directory), f"{directory}/")


def _directory_reader(directory: Path) -> _Read:
    def read(name: str) -> RawArray | None:
        path = directory / f"{name}.npy"
        return read_npy(path) if path.exists() else None

    return read


def _npy_names(directory: Path) -> list[str]:
    with reading(directory):
        return sorted(path.stem for path in directory.iterdir() if path.suffix == ".npy")


def _read_splits(read: _Read, names: Collection[str], where: str, prefix: str) -> Source:
    _require_known(names, where)
    if "x_train" not in names:
        found = ", ".join(sorted(names)[:20]) or "none"
        raise DataError(f"the array x_train is missing; the arrays here are: {found}", where=where)
    parts: dict[SplitName, RawPart] = {}
    for split in _SPLITS:
        part = _read_part(read, f"_{split}", prefix)
        if part is None:
            continue
        if part.labels is None:
            raise DataError(f"x_{split} is there, and y_{split} is missing", where=where)
        parts[split] = part
    return Source(parts)


def _read_any_part(read: _Read, names: Collection[str], where: str, prefix: str) -> RawPart:
    for suffix in ("", "_test", "_train"):
        part = _read_part(read, suffix, prefix)
        if part is not None:
            return part
    found = ", ".join(sorted(names)[:20]) or "none"
    raise DataError(f"expected an array x, x_test or x_train, got: {found}", where=where)


def _read_part(read: _Read, suffix: str, prefix: str) -> RawPart | None:
    features = read(f"x{suffix}")
    labels = read(f"y{suffix}")
    if features is None:
        if labels is None:
            return None
        raise DataError(f"y{suffix} is there, and x{suffix} is missing", where=prefix.rstrip(": "))
    return RawPart(
        features=features,
        labels=None if labels is None else _as_labels(labels),
        features_at=Place(f"{prefix}x{suffix}"),
        labels_at=Place(f"{prefix}y{suffix}"),
    )


def _as_labels(array: RawArray) -> RawLabels:
    if array.dtype.kind == "U" and array.ndim == 1:
        return [str(text) for text in array.tolist()]
    return array


def _require_known(names: Collection[str], where: str) -> None:
    """A misspelt ``x_val`` must not go unnoticed; arrays of other names are the user's own."""
    for name in names:
        if name[:2] in ("x_", "y_") and name not in _ARRAY_NAMES:
            near = get_close_matches(name, _ARRAY_NAMES, n=1, cutoff=0.5)
            raise DataError(
                f"unknown array {name!r}; expected x_train, y_train, x_validation, y_validation, "
                "x_test, y_test",
                where=where,
                hint=f"did you mean {near[0]!r}?" if near else None,
            )


class _NpzFile:
    """The members of an .npz archive, read one by one within their declared sizes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        require_regular_file(path)

    def __enter__(self) -> _NpzFile:
        with _reading_zip(self._path):
            self._archive = zipfile.ZipFile(self._path)
        self._members = {
            info.filename.removesuffix(".npy"): info
            for info in self._archive.infolist()
            if info.filename.endswith(".npy")
        }
        self.names = list(self._members)
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def read(self, name: str) -> RawArray | None:
        info = self._members.get(name)
        if info is None:
            return None
        where = f"{self._path}: {name}"
        if info.compress_type not in _ZIP_METHODS or info.flag_bits & _ENCRYPTED:
            raise DataError("expected a stored or deflated zip member, unencrypted", where=where)
        if info.file_size > (info.compress_size + 1) * _MAX_DEFLATE_RATIO:
            raise DataError(
                f"declares {info.file_size:,} bytes, more than its {info.compress_size:,} "
                "compressed bytes can hold",
                where=where,
            )
        with _reading_zip(self._path), self._archive.open(info) as member:
            return _read_array(member, info.file_size, where)


@contextmanager
def _reading_zip(path: Path) -> Iterator[None]:
    """``zipfile`` says with many kinds of exceptions that an archive is damaged."""
    try:
        with reading(path):
            yield
    except (NotImplementedError, RuntimeError, ValueError, LookupError, struct.error) as error:
        raise DataError(f"the zip archive is damaged: {error}", where=str(path)) from error


def _read_array(stream: IO[bytes], size: int, where: str) -> RawArray:
    """One array from ``stream``, whose ``size`` in bytes must be what its header implies."""
    dtype, shape, is_fortran, header_size = _read_header(stream, where)
    num_bytes = prod(shape) * dtype.itemsize
    if header_size + num_bytes != size:
        state = "truncated" if header_size + num_bytes > size else "too long"
        raise DataError(
            f"the array is {state}: its header declares {dtype} values of shape {shape}, "
            f"{num_bytes:,} bytes; {size - header_size:,} are there",
            where=where,
        )
    require_memory(num_bytes, where=where)
    values = np.empty(num_bytes, np.uint8)
    num_read = 0
    while num_read < num_bytes:
        chunk = stream.read(min(num_bytes - num_read, 1 << 24))
        if not chunk:
            raise DataError("the array is truncated: its data ends early", where=where)
        values[num_read : num_read + len(chunk)] = np.frombuffer(chunk, np.uint8)
        num_read += len(chunk)
    stream.read(1)  # at the end, where zip members verify their checksum
    array = values.view(dtype).reshape(shape, order="F" if is_fortran else "C")
    return np.ascontiguousarray(array, dtype=dtype.newbyteorder("="))


def _read_header(
    stream: IO[bytes], where: str
) -> tuple[np.dtype[np.generic], tuple[int, ...], bool, int]:
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


def _parse_dtype(descr: str, where: str) -> np.dtype[np.generic]:
    try:
        if _DTYPE.fullmatch(descr):
            return np.dtype(descr)
    except TypeError:
        pass
    raise DataError(
        f"expected numbers, truth values or texts, got an array of type {descr!r}", where=where
    )
