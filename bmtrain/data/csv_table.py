"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

from pathlib import Path

from bmtrain.data.csv_cells import read_sound_table, read_table
from bmtrain.data.csv_rows import header_hint, line_of_row, read_header
from bmtrain.data.csv_values import numbers_and_labels
from bmtrain.data.dataset import SplitName
from bmtrain.data.near_names import did_you_mean
from bmtrain.data.quoting import listed, quoted
from bmtrain.data.source import Place, RawPart, Source, names_in
from bmtrain.errors import ConfigError, DataError

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
    _require_column(label, columns, files["train"], key=("data", "label"))
    for index, name in enumerate(features or ()):
        _require_column(name, columns, files["train"], key=("data", "features", index))
    names = features or tuple(name for name in columns if name != label)
    _require_sound(names, label)
    parts = {
        split: _read_part(file, features=names, label=label, may_leave_out=True)
        for split, file in files.items()
    }
    return Source(parts, feature_names=names, label_name=label)


def _read_part(
    path: Path, *, features: tuple[str, ...], label: str | None, may_leave_out: bool
) -> RawPart:
    """The columns ``features``, as float32, and ``label``, as texts; others are not looked at."""
    names = read_header(path)
    for name in (*features, *((label,) if label else ())):
        _require_column(name, names, path)
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
    return _read_part(path, features=features, label=label, may_leave_out=False)


def _require_sound(features: tuple[str, ...], label: str) -> None:
    if not features:
        raise DataError("the table has no column beside the label", key=("data", "label"))
    for index, name in enumerate(features):
        if name == label:
            raise ConfigError(f"{quoted(name)} is the label", key=("data", "features", index))
        if name in features[:index]:
            raise ConfigError(f"{quoted(name)} is listed twice", key=("data", "features", index))


def _require_column(
    name: str, columns: list[str], path: Path, key: tuple[str | int, ...] | None = None
) -> None:
    if name not in columns:
        raise DataError(
            f"there is no column {quoted(name)}; the columns are: {listed(columns)}",
            where=str(path),
            key=key,
            hint=did_you_mean(name, columns) or header_hint(columns),
        )
