"""The table of formats, and which one a path has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from bmtrain.data import csv_table, idx, numpy_files
from bmtrain.data.source import Source, reading
from bmtrain.errors import DataError

Format = Literal["idx", "npz", "npy", "csv"]

#: Formats of arrays: a path -> all of its splits. A new format is one entry and one test.
ARRAY_READERS: dict[Format, Callable[[Path], Source]] = {
    "idx": idx.read_idx_directory,
    "npz": numpy_files.read_npz,
    "npy": numpy_files.read_npy_directory,
}

_SUFFIXES: dict[str, Format] = {".npz": "npz", ".npy": "npy", ".csv": "csv"}


def detect_format(path: Path) -> Format:
    """The format of a file by its name, of a directory by the names in it."""
    with reading(path):
        path.stat()
    if path.is_dir():
        return _detect_directory(path)
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    if idx.FILE_NAME.fullmatch(path.name) or path.name.endswith(("-ubyte", "-ubyte.gz")):
        return "idx"
    raise DataError(
        "the format cannot be told from the file's name",
        where=str(path),
        hint="expected .npz, .npy, .csv or a directory; or say which by data.format or --format",
    )


def _detect_directory(path: Path) -> Format:
    if idx.has_idx_files(path):
        return "idx"
    with reading(path):
        names = {entry.name for entry in path.iterdir()}
    if names & numpy_files.NPY_NAMES:
        return "npy"
    if names & csv_table.SPLIT_FILES.keys():
        return "csv"
    raise DataError(
        "the directory holds no data that is known here: expected train-images-idx3-ubyte …, "
        "x_train.npy … or train.csv",
        where=str(path),
    )
