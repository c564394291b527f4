"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bmtrain.data.csv_cells import read_sound_table, read_table
from bmtrain.data.csv_rows import header_hint, line_of_row, read_header
from bmtrain.data.csv_values import numbers_and_labels
from bmtrain.data.dataset import SplitName
from bmtrain.data.near_names import did_you_mean
from bmtrain.data.quoting import listed, quoted
from bmtrain.data.source import HeldFile, Place, RawPart, Source, names_in
from bmtrain.errors import ConfigError, DataError

_Key = tuple[str | int, ...]

SPLIT_FILES: dict[str, SplitName] = {
    "train.csv": "train",
    "validation.csv": "validation",
    "test.csv": "test",
}


def read_csv(path: Path, *, label: str | None, features: tuple[str, ...] | None) -> Source:
    """A CSV file, or a directory with train.csv and maybe validation.csv and test.csv.

    Every column but ``label`` is a feature unless ``features`` names them. The other
    files must have the columns of train.csv, in any order. DataError names file and line.
    """
    files: dict[SplitName, Path] = {"train": path}
    if path.is_dir():
        present = names_in(path)
        files = {split: path / name for name, split in SPLIT_FILES.items() if name in present}
        if "train" not in files:
            raise DataError("train.csv is missing", where=str(path))
    columns = read_header(files["train"])
    if label is None:
        raise ConfigError(
            "a table needs data.label, the column to predict",
            key=("data", "label"),
            hint=f"the columns are: {listed(columns)}",
        )
    keys: dict[str, _Key] = {label: ("data", "label")}
    for index, name in enumerate(features or ()):
        keys.setdefault(name, ("data", "features", index))
    _require_columns(keys, columns, files["train"])
    names = features or tuple(name for name in columns if name != label)
    _require_sound(names, label)
    parts = {
        split: read_table_part(file, features=names, label=label, may_leave_out=True)
        for split, file in files.items()
    }
    return Source(parts, feature_names=names, label_name=label)


def read_table_part(
    path: Path | HeldFile, *, features: tuple[str, ...], label: str | None, may_leave_out: bool
) -> RawPart:
    """The columns ``features``, as float32, and ``label``, as texts; others are not looked at."""
    names = read_header(path)
    _require_columns(dict.fromkeys((*features, *((label,) if label else ()))), names, path)
    parsed = read_sound_table(path, names, features, label)
    if parsed is not None:
        values, labels = parsed
        place = Place(str(path), lambda row: line_of_row(path, row))
        return RawPart(values, labels, place, place)
    table = read_table(path, names)
    values, labels = numbers_and_labels(table, features, label, may_leave_out=may_leave_out)
    place = Place(str(path), table.line_of_row)
    return RawPart(values, labels, place, place)


def read_csv_examples(path: Path, *, features: tuple[str, ...], label: str | None) -> RawPart:
    """The examples of a file; of a directory those of test.csv, else of train.csv."""
    if path.is_dir():
        path = path / ("test.csv" if "test.csv" in names_in(path) else "train.csv")
    return read_table_part(path, features=features, label=label, may_leave_out=False)


def _require_sound(features: tuple[str, ...], label: str) -> None:
    if not features:
        raise DataError("the table has no column beside the label", key=("data", "label"))
    seen = set()
    for index, name in enumerate(features):
        if name == label:
            raise ConfigError(f"{quoted(name)} is the label", key=("data", "features", index))
        if name in seen:
            raise ConfigError(f"{quoted(name)} is listed twice", key=("data", "features", index))
        seen.add(name)


def _require_columns(
    keys: Mapping[str, _Key | None], columns: list[str], path: Path | HeldFile
) -> None:
    """DataError at the first name that is no column; ``keys``: where the config says each name."""
    present = set(columns)
    for name, key in keys.items():
        if name in present:
            continue
        raise DataError(
            f"there is no column {quoted(name)}; the columns are: {listed(columns)}",
            where=str(path),
            key=key,
            hint=did_you_mean(name, columns) or header_hint(columns),
        )
