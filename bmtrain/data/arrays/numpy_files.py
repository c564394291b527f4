"""Sources of NumPy arrays: .npz archives and directories of .npy files, never through pickle."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, Self

from bmtrain.data.arrays.npy_array import array_blocks, num_examples, read_array, rows_in_file
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import (
    MAX_DEFLATE_RATIO,
    Place,
    RawArray,
    RawLabels,
    RawPart,
    Source,
    SplitName,
    names_in,
    opened,
    reading,
    require_one_each,
)
from bmtrain.data.raw.storage import RESIDENT, Storage
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted, short
from bmtrain.errors import DataError

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
_ARRAY_NAMES = frozenset(f"{kind}_{split}" for kind in "xy" for split in _SPLITS) | {"x", "y"}
NPY_NAMES = frozenset(f"{name}.npy" for name in _ARRAY_NAMES)

_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_ZIP_MAGIC = b"PK\x03\x04"


def read_npz(path: Path, /, *, weight: str | None = None, storage: Storage = RESIDENT) -> Source:
    """All splits: ``x_train``, ``y_train``, maybe ``x_validation``, …, ``x_test``, … .

    They are held, whatever ``storage`` says.
    """
    del storage
    with _NpzFile(path) as archive:
        return _read_splits(archive, weight)


def read_npz_part(path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
    """The examples: ``x`` (and ``y``), else ``x_test``, else ``x_train``."""
    with _NpzFile(path) as archive:
        return _read_any_part(archive, labels=labels, weight=weight)


def read_npy_directory(
    directory: Path, /, *, weight: str | None = None, storage: Storage = RESIDENT
) -> Source:
    """All splits: ``x_train.npy``, ``y_train.npy`` and so on; features that are to be streamed stay in them."""
    return _read_splits(_NpyDirectory(directory, storage), weight)


def read_npy_part(path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
    """The examples: a file's array; of a directory ``x``, else ``x_test``, else ``x_train``."""
    if path.is_dir():
        return _read_any_part(_NpyDirectory(path), labels=labels, weight=weight)
    place = Place(str(path))
    return RawPart(_read_npy(path), None, features_at=place, labels_at=place)


def npz_blocks(path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples as in ``read_npz_part``, without labels, ``num_rows`` at a time."""
    with _NpzFile(path) as archive:
        yield from archive.blocks(_name_of_examples(archive), num_rows)


def npy_blocks(path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples as in ``read_npy_part``, without labels, ``num_rows`` at a time."""
    if path.is_dir():
        path /= f"{_name_of_examples(_NpyDirectory(path))}.npy"
    with reading(path), opened(path) as (file, file_size):
        yield from _parts(array_blocks(file, file_size, str(path), num_rows), str(path))


def npy_stream_blocks(stream: BufferedReader[Any], name: str, num_rows: int) -> Iterator[RawPart]:
    """The rows of one .npy array that comes through a pipe."""
    with reading(Path(name)):
        yield from _parts(array_blocks(stream, None, name, num_rows), name)


def _parts(blocks: Iterator[tuple[int, RawArray]], where: str) -> Iterator[RawPart]:
    for start, rows in blocks:
        place = Place(where, first_row=start)
        yield RawPart(rows, None, place, place)


class _Arrays(Protocol):
    """Named arrays in one place."""

    where: str
    names: list[str]

    def read(self, name: str) -> RawArray: ...

    def features(self, name: str) -> RawArray | FileRows: ...

    def num_examples(self, name: str) -> int: ...

    def place(self, name: str) -> Place: ...


class _NpyDirectory:
    """The .npy files of a directory."""

    def __init__(self, directory: Path, storage: Storage = RESIDENT) -> None:
        self._directory = directory
        self._storage = storage
        self.where = str(directory)
        names = names_in(directory)
        self.names = [name.removesuffix(".npy") for name in names if name.endswith(".npy")]

    def read(self, name: str) -> RawArray:
        return _read_npy(self._directory / f"{name}.npy")

    def features(self, name: str) -> RawArray | FileRows:
        path = self._directory / f"{name}.npy"
        with reading(path), opened(path) as (file, file_size):
            rows = rows_in_file(file, file_size, str(path), self._storage)
        return self.read(name) if rows is None else rows

    def num_examples(self, name: str) -> int:
        path = self._directory / f"{name}.npy"
        with reading(path), opened(path) as (file, file_size):
            return num_examples(file, file_size, str(path))

    def place(self, name: str) -> Place:
        return Place(str(self._directory / f"{name}.npy"))


class _NpzFile:
    """The members of an .npz archive, read one by one within their declared sizes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = str(path)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with _reading_zip(self._path), ExitStack() as opening:
            file, _ = opening.enter_context(opened(self._path))
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
        return Place(f"{self._path}: {name}")

    def read(self, name: str) -> RawArray:
        with self._member(name) as (stream, size, where):
            return read_array(stream, size, where)

    def features(self, name: str) -> RawArray | FileRows:
        return self.read(name)

    def blocks(self, name: str, num_rows: int) -> Iterator[RawPart]:
        """The rows of one array, ``num_rows`` at a time."""
        with self._member(name) as (stream, size, where):
            yield from _parts(array_blocks(stream, size, where, num_rows), where)

    def num_examples(self, name: str) -> int:
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


def _read_npy(path: Path) -> RawArray:
    with reading(path), opened(path) as (file, file_size):
        return read_array(file, file_size, str(path))


def _read_splits(arrays: _Arrays, weight: str | None) -> Source:
    _require_known(arrays)
    if "x_train" not in arrays.names:
        raise DataError(
            f"the array x_train is missing; the arrays here are: {_shown(arrays)}",
            where=arrays.where,
        )
    parts: dict[SplitName, RawPart] = {}
    for split in _SPLITS:
        if f"x_{split}" in arrays.names:
            parts[split] = _read_part(arrays, f"_{split}", labels=True, weight=weight)
        elif f"y_{split}" in arrays.names:
            raise DataError(f"y_{split} is there, x_{split} is missing", where=arrays.where)
    return Source(parts, weight_name=weight)


def _read_any_part(arrays: _Arrays, *, labels: bool, weight: str | None) -> RawPart:
    suffix = _name_of_examples(arrays).removeprefix("x")
    return _read_part(arrays, suffix, labels=labels, weight=weight)


def _name_of_examples(arrays: _Arrays) -> str:
    for name in ("x", "x_test", "x_train"):
        if name in arrays.names:
            return name
    raise DataError(
        f"expected an array x, x_test or x_train, got: {_shown(arrays)}", where=arrays.where
    )


def _read_part(arrays: _Arrays, suffix: str, *, labels: bool, weight: str | None = None) -> RawPart:
    x_name, y_name = f"x{suffix}", f"y{suffix}"
    if labels and y_name not in arrays.names:
        raise DataError(f"{x_name} is there, {y_name} is missing", where=arrays.where)
    if labels:
        num_rows, num_labels = arrays.num_examples(x_name), arrays.num_examples(y_name)
        require_one_each(num_rows, num_labels, arrays.place(y_name).name)
    part = RawPart(
        features=arrays.features(x_name),
        labels=_as_labels(arrays.read(y_name)) if labels else None,
        features_at=arrays.place(x_name),
        labels_at=arrays.place(y_name),
    )
    return part if weight is None else _with_weights(part, arrays, x_name, f"{weight}{suffix}")


def _with_weights(part: RawPart, arrays: _Arrays, x_name: str, name: str) -> RawPart:
    if name not in arrays.names:
        raise DataError(
            f"{x_name} is there, {name} is missing: data.sample_weight asks for it",
            where=arrays.where,
            key=("data", "sample_weight"),
            hint=did_you_mean(name, arrays.names),
        )
    place = arrays.place(name)
    require_one_each(arrays.num_examples(x_name), arrays.num_examples(name), place.name, "weight")
    return replace(part, weights=arrays.read(name), weights_at=place)


def _as_labels(array: RawArray) -> RawLabels:
    if array.dtype.kind == "U" and array.ndim == 1:
        return [str(text) for text in array.tolist()]
    return array


def _require_known(arrays: _Arrays) -> None:
    """A misspelt ``x_val`` must not go unnoticed; arrays of other names are the user's own."""
    for name in arrays.names:
        if name[:2] in ("x_", "y_") and name not in _ARRAY_NAMES:
            raise DataError(
                f"unknown array {quoted(name)}; expected x_train, y_train, x_validation, "
                "y_validation, x_test, y_test",
                where=arrays.where,
                hint=did_you_mean(name, sorted(_ARRAY_NAMES), cutoff=0.5),
            )


def _shown(arrays: _Arrays) -> str:
    return listed(arrays.names) or "none"
