"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bmtrain.config.sections.data import DataSection
from bmtrain.data.columns import Column, are_all_numbers
from bmtrain.data.csv_cells import read_sound_table, read_table
from bmtrain.data.csv_rows import header_hint, line_of_row, read_header
from bmtrain.data.csv_values import features_and_labels
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


def read_csv(path: Path, section: DataSection) -> Source:
    """A CSV file, or a directory with train.csv and maybe validation.csv and test.csv.

    Every column but the label is a feature unless ``section.features`` names them. The other
    files must have the columns of train.csv, in any order. DataError names file and line.
    """
    files: dict[SplitName, Path] = {"train": path}
    if path.is_dir():
        present = names_in(path)
        files = {split: path / name for name, split in SPLIT_FILES.items() if name in present}
        if "train" not in files:
            raise DataError("train.csv is missing", where=str(path))
    label, features = section.label, section.features
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
    wanted = _features(names, section)
    parts = {
        split: read_table_part(file, wanted, label, may_leave_out=True)
        for split, file in files.items()
    }
    return Source(parts, columns=wanted, label_name=label)


def _features(names: tuple[str, ...], section: DataSection) -> tuple[Column, ...]:
    """How each feature column is read; ConfigError where the section names another as one."""
    for index, name in enumerate(section.categorical):
        if name not in names:
            raise ConfigError(
                f"{quoted(name)} is no feature; the features are: {listed(names)}",
                key=("data", "categorical", index),
                hint=did_you_mean(name, names),
            )
    texts, may_be_missing = set(section.categorical), section.missing != "error"
    return tuple(
        Column(name, "texts" if name in texts else "numbers", may_be_missing) for name in names
    )


def read_table_part(
    path: Path | HeldFile, columns: tuple[Column, ...], label: str | None, *, may_leave_out: bool
) -> RawPart:
    """The ``columns``, and ``label`` as texts; others are not looked at.

    Features are a float32 array (examples, columns) where all hold a number in each row.
    """
    names = read_header(path)
    features = tuple(column.name for column in columns)
    _require_columns(dict.fromkeys((*features, *((label,) if label else ()))), names, path)
    if are_all_numbers(columns):
        parsed = read_sound_table(path, names, features, label)
        if parsed is not None:
            place = Place(str(path), lambda row: line_of_row(path, row))
            return RawPart(*parsed, place, place)
    table = read_table(path, names)
    values, labels = features_and_labels(table, columns, label, may_leave_out=may_leave_out)
    place = Place(str(path), table.line_of_row)
    return RawPart(values, labels, place, place)


def read_csv_examples(path: Path, columns: tuple[Column, ...], label: str | None) -> RawPart:
    """The examples of a file; of a directory those of test.csv, else of train.csv."""
    if path.is_dir():
        path = path / ("test.csv" if "test.csv" in names_in(path) else "train.csv")
    return read_table_part(path, columns, label, may_leave_out=False)


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
