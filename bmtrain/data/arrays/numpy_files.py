"""Sources of NumPy arrays: .npz archives and directories of .npy files, never through pickle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.data.arrays.array_files import Arrays, NpyDirectory, NpzFile, parts_of, read_npy
from bmtrain.data.arrays.npy_array import (
    array_blocks,
)
from bmtrain.data.raw.coded_texts import CodedTexts, Texts
from bmtrain.data.raw.source import (
    Place,
    RawLabels,
    RawPart,
    Source,
    SplitName,
    opened,
    reading,
    require_one_each,
)
from bmtrain.data.raw.storage import RESIDENT, Storage
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError

_SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
_ARRAY_NAMES = frozenset(f"{kind}_{split}" for kind in "xy" for split in _SPLITS) | {"x", "y"}
NPY_NAMES = frozenset(f"{name}.npy" for name in _ARRAY_NAMES)


def read_npz(
    path: Path,
    /,
    *,
    weight: str | None = None,
    group: str | None = None,
    storage: Storage = RESIDENT,
) -> Source:
    """All splits: ``x_train``, ``y_train``, maybe ``x_validation``, …, ``x_test``, … .

    Features that are to be streamed stay in the archive, or are extracted where it is compressed.
    """
    with NpzFile(path, storage) as archive:
        return read_splits(archive, weight, group)


def read_npz_part(path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
    """The examples: ``x`` (and ``y``), else ``x_test``, else ``x_train``."""
    with NpzFile(path) as archive:
        return read_any_part(archive, labels=labels, weight=weight)


def read_npy_directory(
    directory: Path,
    /,
    *,
    weight: str | None = None,
    group: str | None = None,
    storage: Storage = RESIDENT,
) -> Source:
    """All splits: ``x_train.npy``, ``y_train.npy`` and so on; features that are to be streamed stay in them."""
    return read_splits(NpyDirectory(directory, storage), weight, group)


def read_npy_part(path: Path, *, labels: bool, weight: str | None = None) -> RawPart:
    """The examples: a file's array; of a directory ``x``, else ``x_test``, else ``x_train``."""
    if path.is_dir():
        return read_any_part(NpyDirectory(path), labels=labels, weight=weight)
    place = Place(str(path))
    return RawPart(read_npy(path), None, features_at=place, labels_at=place)


def read_npy_labels(path: Path) -> RawLabels:
    """The array of one .npy file; texts, each different one once."""
    return NpyDirectory(path.parent).labels(path.stem)


def npz_blocks(path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples as in ``read_npz_part``, without labels, ``num_rows`` at a time."""
    with NpzFile(path) as archive:
        yield from archive.blocks(name_of_examples(archive), num_rows)


def npy_blocks(path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples as in ``read_npy_part``, without labels, ``num_rows`` at a time."""
    if path.is_dir():
        path /= f"{name_of_examples(NpyDirectory(path))}.npy"
    with reading(path), opened(path) as (file, file_size):
        yield from parts_of(array_blocks(file, file_size, str(path), num_rows), str(path))


def npy_stream_blocks(stream: BufferedReader[Any], name: str, num_rows: int) -> Iterator[RawPart]:
    """The rows of one .npy array that comes through a pipe."""
    with reading(Path(name)):
        yield from parts_of(array_blocks(stream, None, name, num_rows), name)


def read_splits(arrays: Arrays, weight: str | None, group: str | None) -> Source:
    """All splits that the arrays are of, by their names."""
    _require_known(arrays)
    if "x_train" not in arrays.names:
        raise DataError(
            f"the array x_train is missing; the arrays here are: {_shown(arrays)}",
            where=arrays.where,
        )
    parts: dict[SplitName, RawPart] = {}
    for split in _SPLITS:
        if f"x_{split}" in arrays.names:
            part = _read_part(arrays, f"_{split}", labels=True, weight=weight)
            if group is not None:
                part = replace(part, groups=_read_groups(arrays, f"x_{split}", f"{group}_{split}"))
            parts[split] = part
        elif f"y_{split}" in arrays.names:
            raise DataError(f"y_{split} is there, x_{split} is missing", where=arrays.where)
    return Source(parts, weight_name=weight)


def read_any_part(arrays: Arrays, *, labels: bool, weight: str | None) -> RawPart:
    """The examples: ``x`` (and ``y``), else ``x_test``, else ``x_train``."""
    suffix = name_of_examples(arrays).removeprefix("x")
    return _read_part(arrays, suffix, labels=labels, weight=weight)


def name_of_examples(arrays: Arrays) -> str:
    """Of the array that holds the examples of ``read_any_part``."""
    for name in ("x", "x_test", "x_train"):
        if name in arrays.names:
            return name
    raise DataError(
        f"expected an array x, x_test or x_train, got: {_shown(arrays)}", where=arrays.where
    )


def _read_part(arrays: Arrays, suffix: str, *, labels: bool, weight: str | None = None) -> RawPart:
    x_name, y_name = f"x{suffix}", f"y{suffix}"
    if labels and y_name not in arrays.names:
        raise DataError(f"{x_name} is there, {y_name} is missing", where=arrays.where)
    if labels:
        num_rows, num_labels = arrays.num_examples(x_name), arrays.num_examples(y_name)
        require_one_each(num_rows, num_labels, arrays.place(y_name).name)
    part = RawPart(
        features=arrays.features(x_name),
        labels=arrays.labels(y_name) if labels else None,
        features_at=arrays.place(x_name),
        labels_at=arrays.place(y_name),
    )
    return part if weight is None else _with_weights(part, arrays, x_name, f"{weight}{suffix}")


def _read_groups(arrays: Arrays, x_name: str, name: str) -> Texts:
    """A text for each example, of texts or integers."""
    key, place = ("data", "splits", "group"), arrays.place(name)
    if name not in arrays.names:
        raise DataError(
            f"{x_name} is there, {name} is missing: data.splits.group asks for it",
            where=arrays.where,
            key=key,
            hint=did_you_mean(name, arrays.names),
        )
    require_one_each(arrays.num_examples(x_name), arrays.num_examples(name), place.name, "group")
    groups = arrays.labels(name)
    if isinstance(groups, CodedTexts):
        return groups
    assert isinstance(groups, np.ndarray)
    if groups.dtype.kind not in "biu" or groups.ndim != 1:
        got = f"{groups.dtype} of shape {groups.shape}"
        message = f"expected a text or an integer per example, got {got}"
        raise DataError(message, where=place.name, key=key)
    return [str(group) for group in groups.tolist()]


def _with_weights(part: RawPart, arrays: Arrays, x_name: str, name: str) -> RawPart:
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


def _require_known(arrays: Arrays) -> None:
    """A misspelt ``x_val`` must not go unnoticed; arrays of other names are the user's own."""
    for name in arrays.names:
        if name[:2] in ("x_", "y_") and name not in _ARRAY_NAMES:
            raise DataError(
                f"unknown array {quoted(name)}; expected x_train, y_train, x_validation, "
                "y_validation, x_test, y_test",
                where=arrays.where,
                hint=did_you_mean(name, sorted(_ARRAY_NAMES), cutoff=0.5),
            )


def _shown(arrays: Arrays) -> str:
    return listed(arrays.names) or "none"
