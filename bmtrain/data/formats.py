"""The table of formats, and which one a path has."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, Protocol

from bmtrain.data.arrays import idx, numpy_files
from bmtrain.data.pictures.picture_folders import holds_pictures
from bmtrain.data.raw.source import RawPart, Source, names_in, reading
from bmtrain.data.raw.storage import RESIDENT, Storage
from bmtrain.data.tables.table_formats import TABLE_FORMATS
from bmtrain.data.wording.picture_names import PICTURE_SUFFIXES
from bmtrain.errors import DataError, UsageError

Format = Literal["idx", "npz", "npy", "csv", "jsonl", "parquet", "images"]


class PartReader(Protocol):
    """Reads the examples at a path; without ``labels`` their labels are not looked at.

    ``weight``: the name of the arrays that weigh them, ``w`` of ``w_test`` say.
    """

    def __call__(self, path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
        """The examples at ``path``; DataError names the file and the row."""


class SourceReader(Protocol):
    """Reads all splits at a path; ``weight`` as there."""

    def __call__(
        self,
        path: Path,
        /,
        *,
        weight: str | None = None,
        group: str | None = None,
        storage: Storage = RESIDENT,
    ) -> Source:
        """The splits at ``path``; DataError names the file and the row.

        ``group``: the name of the arrays with each example's group, in the same way.

        Features that ``storage`` wants streamed stay in their file, where its form allows it.
        """


#: Formats of arrays: a path -> all of its splits. Tables are read by ``tables``, pictures by
#: ``picture_sources``.
ARRAY_READERS: dict[Format, SourceReader] = {
    "idx": idx.read_idx_directory,
    "npz": numpy_files.read_npz,
    "npy": numpy_files.read_npy_directory,
}

#: The same formats, for examples that are no experiment's source.
ARRAY_PART_READERS: dict[Format, PartReader] = {
    "idx": idx.read_idx_part,
    "npz": numpy_files.read_npz_part,
    "npy": numpy_files.read_npy_part,
}

_MAX_SHOWN = 5
_IMAGES: Final = "images"
_BY_SUFFIX: dict[str, Format] = {
    ".npz": "npz",
    ".npy": "npy",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    **dict.fromkeys(sorted(PICTURE_SUFFIXES), "images"),
}
DATA_SUFFIXES = frozenset(_BY_SUFFIX)


def choose_format(path: Path, wanted: str) -> Format:
    """``wanted``; where that is ``auto``, told from a file's name or the names in a directory.

    DataError if there is nothing at ``path``, or nothing that is known.
    """
    if "\0" in str(path):
        raise DataError("a path cannot hold a null character", where=repr(str(path)))
    with reading(path):
        path.stat()
    for known in (*ARRAY_READERS, *TABLE_FORMATS, _IMAGES):
        if wanted == known:
            return known
    if wanted != "auto":
        known_names = ", ".join(("auto", *ARRAY_READERS, *TABLE_FORMATS))
        raise UsageError(f"unknown format {wanted!r}; expected {known_names} or {_IMAGES}")
    if path.is_dir():
        return _format_of_directory(path)
    if path.suffix.lower() in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix.lower()]
    if path.name.endswith(("-ubyte", "-ubyte.gz")):
        return "idx"
    raise DataError(
        "the format cannot be told from the file's name",
        where=str(path),
        hint="expected .npz, .npy, .csv, .jsonl, .parquet, a picture or a directory; or say which by "
        "data.format or --format",
    )


def shown_data(names: list[str]) -> str:
    """Those of ``names`` that are files of data by their endings; "" if none is."""
    found = [name for name in names if Path(name).suffix.lower() in _BY_SUFFIX]
    return ", ".join(found[:_MAX_SHOWN]) + (", …" if len(found) > _MAX_SHOWN else "")


def _format_of_directory(directory: Path) -> Format:
    names = set(names_in(directory))
    if any(idx.FILE_NAME.fullmatch(name) for name in names):
        return "idx"
    if names & numpy_files.NPY_NAMES:
        return "npy"
    for table in TABLE_FORMATS:
        if names & {f"{split}.{table}" for split in ("train", "validation", "test")}:
            return table
    if holds_pictures(directory):
        return _IMAGES
    data = shown_data(sorted(names))
    raise DataError(
        "the directory holds no data of a known format: expected train-images-idx3-ubyte …, "
        "x_train.npy …, train.csv … or class directories of pictures",
        where=str(directory),
        hint=f"name a file: it holds {data}" if data else None,
    )
