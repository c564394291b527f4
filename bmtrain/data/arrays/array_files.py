"""Named arrays in one place: a directory of .npy files, an .npz archive; never through pickle."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, Self

import numpy as np

from bmtrain.data.arrays.npy_array import (
    array_blocks,
    fitting_header,
    fortrans_order,
    num_examples,
    read_array,
    rows_in_file,
)
from bmtrain.data.raw.coded_texts import CodedTexts, TextCoder
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import (
    MAX_DEFLATE_RATIO,
    Place,
    RawArray,
    RawLabels,
    RawPart,
    names_in,
    opened,
    reading,
)
from bmtrain.data.raw.storage import RESIDENT, Storage
from bmtrain.data.wording.quoting import short
from bmtrain.errors import DataError
from bmtrain.progress import tell_progress

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_ZIP_MAGIC = b"PK\x03\x04"
# APPNOTE.TXT 4.3.7: the lengths of the name and of the extra field are its last four bytes.
_LOCAL_HEADER_BYTES, _LOCAL_LENGTHS_AT = 30, 26
#: Texts that are read at a time.
_TEXT_ROWS = 1 << 16
#: Of what is extracted, or verified, at a time.
_BLOCK_BYTES = 1 << 24


class Arrays(Protocol):
    """Named arrays in one place."""

    where: str
    names: list[str]

    def read(self, name: str) -> RawArray:
        """The array ``name``, held."""
        ...

    def features(self, name: str) -> RawArray | FileRows:
        """The same; what is to be streamed stays in its file."""
        ...

    def labels(self, name: str) -> RawLabels:
        """The same as ``read``; of texts, one for each row, each different one is held once."""
        ...

    def num_examples(self, name: str) -> int:
        """Its first axis, of which the header alone is read."""
        ...

    def place(self, name: str) -> Place:
        """How errors name it."""
        ...


class NpyDirectory:
    """The .npy files of a directory."""

    def __init__(self, directory: Path, storage: Storage = RESIDENT) -> None:
        self._directory = directory
        self._storage = storage
        self.where = str(directory)
        names = names_in(directory)
        self.names = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]

    def read(self, name: str) -> RawArray:
        """The array ``name``, held."""
        return read_npy(self._directory / f"{name}.npy")

    def features(self, name: str) -> RawArray | FileRows:
        """The same; what is to be streamed stays in its file, or is extracted."""
        path = self._directory / f"{name}.npy"
        with reading(path), opened(path) as (file, file_size):
            rows = rows_in_file(file, file_size, str(path), self._storage)
        return self.read(name) if rows is None else rows

    def labels(self, name: str) -> RawLabels:
        """As in ``Arrays``."""
        path = self._directory / f"{name}.npy"
        with reading(path), opened(path) as (file, file_size):
            found = texts_in(array_blocks(file, file_size, str(path), _TEXT_ROWS))
        return self.read(name) if found is None else found

    def num_examples(self, name: str) -> int:
        """Its first axis, of which the header alone is read."""
        path = self._directory / f"{name}.npy"
        with reading(path), opened(path) as (file, file_size):
            return num_examples(file, file_size, str(path))

    def place(self, name: str) -> Place:
        """How errors name it."""
        return Place(str(self._directory / f"{name}.npy"))


class NpzFile:
    """The members of an .npz archive, read one by one within their declared sizes."""

    def __init__(self, path: Path, storage: Storage = RESIDENT) -> None:
        self._path = path
        self._storage = storage
        self.where = str(path)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with _reading_zip(self._path), ExitStack() as opening:
            file, _ = opening.enter_context(opened(self._path))
            self._file = file
            _require_archive(file, self.where)
            self._archive = opening.enter_context(zipfile.ZipFile(file))
            self._open = opening.pop_all()
        self._members = {
            info.filename.removesuffix(".npy"): info
            for info in self._archive.infolist()
            if info.filename.endswith(".npy")
        }
        self.names = sorted(self._members)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def place(self, name: str) -> Place:
        """How errors name it."""
        return Place(f"{self._path}: {name}")

    def read(self, name: str) -> RawArray:
        """The array ``name``, held."""
        with self._member(name) as (stream, size, where):
            return read_array(stream, size, where)

    def labels(self, name: str) -> RawLabels:
        """As in ``Arrays``."""
        with self._member(name) as (stream, size, where):
            found = texts_in(array_blocks(stream, size, where, _TEXT_ROWS))
        return self.read(name) if found is None else found

    def features(self, name: str) -> RawArray | FileRows:
        """The same; what is to be streamed stays in its file, or is extracted."""
        storage, info = self._storage, self._members[name]
        with self._member(name) as (stream, size, where):
            dtype, shape, is_fortran = fitting_header(stream, size, where)
        if not storage.streams(shape, dtype) or dtype.kind == "U" or not prod(shape):
            return self.read(name)
        if is_fortran and len(shape) > 1:
            if not storage.any_order:
                raise fortrans_order(where)
            return self.read(name)
        if info.compress_type == zipfile.ZIP_STORED:
            offset = self._begin(info) + size - prod(shape) * dtype.itemsize
            for _ in self._told_blocks(name, shape, dtype, "examples verified"):
                pass  # to its end, where its checksum is verified
            return FileRows.of(self._file.fileno(), where, dtype, shape, offset)
        if storage.extract is None:
            return self.read(name)
        return storage.extract(
            self._path,
            name,
            shape,
            dtype.newbyteorder("="),
            lambda: self._told_blocks(name, shape, dtype, "examples extracted"),
        )

    def _told_blocks(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], what: str
    ) -> Iterator[RawArray]:
        num_rows = max(1, _BLOCK_BYTES * shape[0] // (prod(shape) * dtype.itemsize))
        for part in self.blocks(name, num_rows):
            tell_progress(what, part.features_at.first_row, shape[0])
            yield part.array

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Where a member's bytes begin: after its header, with a name and an extra field."""
        header = os.pread(self._file.fileno(), _LOCAL_HEADER_BYTES, info.header_offset)
        name_bytes, extra_bytes = struct.unpack("<HH", header[_LOCAL_LENGTHS_AT:])
        return info.header_offset + _LOCAL_HEADER_BYTES + int(name_bytes) + int(extra_bytes)

    def blocks(self, name: str, num_rows: int) -> Iterator[RawPart]:
        """The rows of one array, ``num_rows`` at a time."""
        with self._member(name) as (stream, size, where):
            yield from parts_of(array_blocks(stream, size, where, num_rows), where)

    def num_examples(self, name: str) -> int:
        """Its first axis, of which the header alone is read."""
        with self._member(name) as (stream, size, where):
            return num_examples(stream, size, where)

    @contextmanager
    def _member(self, name: str) -> Iterator[tuple[IO[bytes], int, str]]:
        """The bytes of an array, how many there should be, and how errors name it."""
        info = self._members[name]
        where = self.place(name).name
        if info.compress_type not in _ZIP_METHODS or info.flag_bits & _ENCRYPTED:
            raise DataError("expected a stored or deflated zip member, unencrypted", where=where)
        if info.file_size > (info.compress_size + 1) * MAX_DEFLATE_RATIO:
            raise DataError(
                f"declares {info.file_size:,} bytes, more than its {info.compress_size:,} "
                "compressed bytes can hold",
                where=where,
            )
        with _reading_zip(self._path), self._archive.open(info) as member:
            yield member, info.file_size, where


def texts_in(blocks: Iterator[tuple[int, RawArray]]) -> CodedTexts | None:
    """A text for each row; None of all else, which is not read further."""
    coder = TextCoder()
    num_rows = 0
    for _, rows in blocks:
        if rows.dtype.kind != "U" or rows.ndim != 1:
            return None
        coder.add([str(text) for text in rows.tolist()])
        num_rows += len(rows)
    return coder.coded() if num_rows else None


def parts_of(blocks: Iterator[tuple[int, RawArray]], where: str) -> Iterator[RawPart]:
    """Features, each with the place of its rows."""
    for start, rows in blocks:
        place = Place(where, first_row=start)
        yield RawPart(rows, None, place, place)


def _require_archive(file: BinaryIO, where: str) -> None:
    """DataError where there is no directory of members, which is the end of an archive."""
    if zipfile.is_zipfile(file):
        return
    file.seek(0)
    start = file.read(len(_ZIP_MAGIC))
    if start == _ZIP_MAGIC:
        raise DataError(
            "the archive is truncated: its list of arrays, at the end of the file, is missing",
            where=where,
            hint="copy, download or save it again",
        )
    raise DataError(
        f"this is not an .npz file: expected it to begin with {_ZIP_MAGIC.hex(' ')}, "
        f"got {start.hex(' ')}",
        where=where,
        hint="numpy.savez(PATH, x_train=…, y_train=…) writes one",
    )


@contextmanager
def _reading_zip(path: Path) -> Iterator[None]:
    """``zipfile`` says with many kinds of exceptions that an archive is damaged."""
    try:
        with reading(path):
            yield
    except (NotImplementedError, RuntimeError, ValueError, LookupError, struct.error) as error:
        message = f"the zip archive is damaged: {short(str(error))}"
        raise DataError(message, where=str(path)) from error


def read_npy(path: Path) -> RawArray:
    """The array of one .npy file, held."""
    with reading(path), opened(path) as (file, file_size):
        return read_array(file, file_size, str(path))
