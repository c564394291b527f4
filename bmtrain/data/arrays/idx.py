"""IDX files, the format of MNIST: a magic number, the shape, the values, big-endian.

Byte 2 of the magic number names the dtype, byte 3 the rank; one 32-bit size per
axis follows (Y. LeCun, "The MNIST database", file formats).
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import (
    MAX_DEFLATE_RATIO,
    Place,
    RawArray,
    RawPart,
    Source,
    SplitName,
    names_in,
    opened,
    reading,
    require_one_each,
)
from bmtrain.data.raw.storage import RESIDENT, Storage
from bmtrain.errors import DataError
from bmtrain.progress import tell_progress

IDX_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
FILE_NAME = re.compile(r"(train|t10k)-(images|labels)[-.]idx\d-ubyte(\.gz)?")

_GZIP_MAGIC = b"\x1f\x8b"
#: Of what is extracted at a time.
_BLOCK_BYTES = 1 << 24


def read_idx(path: Path) -> RawArray:
    """The array in the IDX file ``path``, plain or gzip, in native byte order.

    The size that the header declares is checked against the file and against the
    available memory before anything is allocated. DataError names the file.
    """
    with _opened_idx(path) as (stream, header):
        return _read_rows(stream, header, str(path), 0, header.shape[0])


def idx_features(path: Path, storage: Storage) -> RawArray | FileRows:
    """The same; what is to be streamed stays in its file, or is extracted from it."""
    with _opened_idx(path) as (stream, header):
        if isinstance(stream, BufferedReader) and storage.streams(header.shape, header.dtype):
            offset = stream.tell()
            num_bytes = os.fstat(stream.fileno()).st_size - offset
            if num_bytes == header.num_bytes > 0:
                return FileRows.of(stream.fileno(), str(path), header.dtype, header.shape, offset)
        elif storage.extract and storage.streams(header.shape, header.dtype) and header.num_bytes:
            dtype = header.dtype.newbyteorder("=")
            return storage.extract(path, "", header.shape, dtype, lambda: _extracted(path))
        return _read_rows(stream, header, str(path), 0, header.shape[0])


def _extracted(path: Path) -> Iterator[RawArray]:
    with _opened_idx(path) as (stream, header):
        num_rows, total = (
            max(1, _BLOCK_BYTES * header.shape[0] // header.num_bytes),
            header.shape[0],
        )
        for part in _stream_blocks(stream, header, str(path), num_rows):
            tell_progress("examples extracted", part.features_at.first_row, total)
            yield part.array


def idx_blocks(path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples of ``path``, a file or a directory as in ``read_idx_part``, ``num_rows`` at a time.

    DataError as in ``read_idx``; of a compressed file that is damaged, where the damage is met.
    """
    file = _require(path, _prefix_of_examples(path), "images") if path.is_dir() else path
    with _opened_idx(file) as (stream, header):
        yield from _stream_blocks(stream, header, str(file), num_rows)


def idx_stream_blocks(stream: BufferedReader[Any], name: str, num_rows: int) -> Iterator[RawPart]:
    """The same of what comes through a pipe, plain or gzip."""
    with reading(Path(name)):
        if stream.peek(2)[:2] == _GZIP_MAGIC:
            with gzip.GzipFile(fileobj=stream) as inflated:
                yield from _stream_blocks(inflated, _read_header(inflated, name), name, num_rows)
        else:
            yield from _stream_blocks(stream, _read_header(stream, name), name, num_rows)


def _stream_blocks(
    stream: BufferedReader | gzip.GzipFile, header: _Header, where: str, num_rows: int
) -> Iterator[RawPart]:
    for start in range(0, header.shape[0], num_rows):
        stop = min(start + num_rows, header.shape[0])
        place = Place(where, first_row=start)
        yield RawPart(_read_rows(stream, header, where, start, stop), None, place, place)


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header declares."""

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        """Of all values."""
        return prod(self.shape) * self.dtype.itemsize


@contextmanager
def _opened_idx(path: Path) -> Iterator[tuple[BufferedReader | gzip.GzipFile, _Header]]:
    """The values as a stream, and their header; DataError where they cannot be in the file."""
    with reading(path), opened(path) as (file, file_size):
        is_gzip = file.read(2) == _GZIP_MAGIC or path.suffix == ".gz"
        file.seek(0)
        if not is_gzip:
            yield file, _fitting_header(file, path, max_bytes=file_size)
            return
        with gzip.GzipFile(fileobj=file) as inflated:
            max_bytes = file_size * MAX_DEFLATE_RATIO
            yield inflated, _fitting_header(inflated, path, max_bytes=max_bytes)


def _fitting_header(stream: BufferedReader | gzip.GzipFile, path: Path, max_bytes: int) -> _Header:
    where = str(path)
    header = _read_header(stream, where)
    if header.num_bytes > max_bytes:
        raise DataError(
            f"the file is truncated: its header declares {header.shape} values, "
            f"{header.num_bytes:,} bytes, and it is too small to hold them",
            where=where,
        )
    return header


def _read_rows(
    stream: BufferedReader | gzip.GzipFile, header: _Header, where: str, start: int, stop: int
) -> RawArray:
    """The rows from ``start``, where the stream is, to ``stop``; nothing may follow the last one."""
    num_rows, *rest = header.shape
    shape = (stop - start, *rest)
    row_bytes = prod(rest) * header.dtype.itemsize
    num_bytes = (stop - start) * row_bytes
    require_memory(num_bytes, where=where)
    values = np.empty(num_bytes, np.uint8)
    num_read = 0
    while num_read < num_bytes and (more := stream.readinto(values.data[num_read:])):
        num_read += more
    if num_read < num_bytes:
        raise DataError(
            f"the file is truncated: expected {header.num_bytes:,} bytes of values "
            f"for the shape {header.shape}, got {start * row_bytes + num_read:,}",
            where=where,
        )
    # Reading on to the end also makes gzip verify its checksum.
    if stop == num_rows and stream.read(1):
        raise DataError(
            f"the file is too long: it goes on after the {header.num_bytes:,} bytes of values "
            f"that its header declares for the shape {header.shape}",
            where=where,
        )
    array = values.view(header.dtype).reshape(shape)
    return array.astype(header.dtype.newbyteorder("="), copy=False)


def _read_header(stream: BufferedReader | gzip.GzipFile, where: str) -> _Header:
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError("the file is truncated: its header is incomplete", where=where)
    zeros, dtype_code, rank = magic[:2], magic[2], magic[3]
    if zeros != b"\0\0" or dtype_code not in IDX_DTYPES or rank == 0:
        raise DataError(
            f"wrong magic number: an IDX file begins with 00 00, a type byte (08 to 0e) "
            f"and the number of axes; got {magic.hex(' ')}",
            where=where,
        )
    sizes = stream.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise DataError("the file is truncated: its header is incomplete", where=where)
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    if rank > 32 or prod(max(size, 1) for size in shape) >= 2**62:
        raise DataError(f"its header declares an impossible shape of {rank} axes", where=where)
    return _Header(np.dtype(IDX_DTYPES[dtype_code]), shape)


def read_idx_directory(
    directory: Path,
    /,
    *,
    weight: str | None = None,
    group: str | None = None,
    storage: Storage = RESIDENT,
) -> Source:
    """``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and, if there, ``t10k-…``.

    Each plain or ``.gz`` (plain wins where there are both); ``.idx`` for ``-idx``
    and another digit, for arrays of another rank, are fine.
    """
    _require_no_weight(directory, weight)
    if group is not None:
        raise DataError(
            "IDX files hold no groups of examples",
            where=str(directory),
            key=("data", "splits", "group"),
            hint=f"store the arrays as .npz, the groups as {group}_train",
        )
    parts: dict[SplitName, RawPart] = {
        "train": _read_split(directory, "train", labels=True, storage=storage)
    }
    if _find(directory, "t10k", "images") or _find(directory, "t10k", "labels"):
        parts["test"] = _read_split(directory, "t10k", labels=True, storage=storage)
    return Source(parts)


def read_idx_part(path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
    """The examples: a file's array; of a directory those of ``t10k-…``, else of ``train-…``."""
    _require_no_weight(path, weight)
    if path.is_dir():
        return _read_split(path, _prefix_of_examples(path), labels=labels)
    place = Place(str(path))
    return RawPart(read_idx(path), None, features_at=place, labels_at=place)


def _require_no_weight(path: Path, weight: str | None) -> None:
    if weight is not None:
        raise DataError(
            "IDX files hold no weights of examples",
            where=str(path),
            key=("data", "sample_weight"),
            hint=f"store the arrays as .npz, the weights as {weight}_train",
        )


def _prefix_of_examples(directory: Path) -> str:
    return "t10k" if _find(directory, "t10k", "images") else "train"


def _read_split(
    directory: Path, prefix: str, *, labels: bool, storage: Storage = RESIDENT
) -> RawPart:
    images_path = _require(directory, prefix, "images")
    labels_path = _require(directory, prefix, "labels") if labels else None
    if labels_path:
        num_examples, num_labels = _num_examples(images_path), _num_examples(labels_path)
        require_one_each(num_examples, num_labels, str(labels_path))
    return RawPart(
        features=idx_features(images_path, storage),
        labels=read_idx(labels_path) if labels_path else None,
        features_at=Place(str(images_path)),
        labels_at=Place(str(labels_path)),
    )


def _num_examples(path: Path) -> int:
    with _opened_idx(path) as (_, header):
        return header.shape[0]


def _find(directory: Path, prefix: str, kind: str) -> Path | None:
    for name in sorted(names_in(directory), key=lambda name: name.endswith(".gz")):
        match = FILE_NAME.fullmatch(name)
        if match and match.group(1, 2) == (prefix, kind):
            return directory / name
    return None


def _require(directory: Path, prefix: str, kind: str) -> Path:
    path = _find(directory, prefix, kind)
    if path is None:
        name = f"{prefix}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
        raise DataError(f"{name} is missing, plain or as {name}.gz", where=str(directory))
    return path
