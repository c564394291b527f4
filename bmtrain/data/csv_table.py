"""CSV tables: a header line, one example per line, columns found by name."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.csv_rows import (
    blank_lines,
    header_hint,
    line_of_row,
    malformed,
    read_header,
    shown_names,
    width_of_row,
    wrong_width,
)
from bmtrain.data.dataset import SplitName
from bmtrain.data.memory import require_memory
from bmtrain.data.source import Place, RawPart, Source, names_in, reading
from bmtrain.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl

SPLIT_FILES: dict[str, SplitName] = {
    "train.csv": "train",
    "validation.csv": "validation",
    "test.csv": "test",
}

# A cell takes two bytes in the file at least. Parsed: the file, 8 bytes of float64 and 4 of
# float32 per cell. As texts: 16 bytes per cell, twice while spaces are cut off.
_PARSED_MEMORY_PER_FILE_BYTE = 7
_TEXTS_MEMORY_PER_FILE_BYTE = 20


@dataclass(frozen=True, slots=True)
class _Table:
    """The cells of a file as texts, without spaces around them; null where empty.

    ``row_numbers[i]`` is the row in the file of row i here; blank lines are left out.
    """

    path: Path
    columns: dict[str, pl.Series]
    row_numbers: NDArray[np.int64]

    def line_of_row(self, row: int) -> int:
        return line_of_row(self.path, int(self.row_numbers[row]))

    def where(self, row: int) -> str:
        return f"{self.path}, line {self.line_of_row(row)}"


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
            hint=f"the columns are: {shown_names(columns)}",
        )
    _require_column(label, columns, files["train"], key=("data", "label"))
    for index, name in enumerate(features or ()):
        _require_column(name, columns, files["train"], key=("data", "features", index))
    names = features or tuple(name for name in columns if name != label)
    _require_sound(names, label)
    parts = {
        split: read_csv_part(file, features=names, label=label) for split, file in files.items()
    }
    return Source(parts, feature_names=names, label_name=label)


def read_csv_part(path: Path, *, features: tuple[str, ...], label: str | None) -> RawPart:
    """The columns ``features``, as float32, and ``label``, as texts; others are not looked at."""
    names = read_header(path)
    for name in (*features, *((label,) if label else ())):
        _require_column(name, names, path)
    parsed = _parse(path, names, features, label)
    if parsed is not None:
        values, labels = parsed
        place = Place(str(path), lambda row: line_of_row(path, row))
        return RawPart(values, labels, place, place)
    table = _read_table(path, names)
    values = np.empty((len(table.row_numbers), len(features)), np.float32)
    for position, name in enumerate(features):
        values[:, position] = _numbers(table, name)
    place = Place(str(path), table.line_of_row)
    return RawPart(values, _texts(table, label) if label else None, place, place)


def read_csv_examples(path: Path, *, features: tuple[str, ...], label: str | None) -> RawPart:
    """The examples of a file; of a directory those of test.csv, else of train.csv."""
    if path.is_dir():
        path = path / ("test.csv" if "test.csv" in names_in(path) else "train.csv")
    return read_csv_part(path, features=features, label=label)


def _require_sound(features: tuple[str, ...], label: str) -> None:
    if not features:
        raise DataError("the table has no column beside the label", key=("data", "label"))
    for index, name in enumerate(features):
        if name == label:
            raise ConfigError(f"{name!r} is the label", key=("data", "features", index))
        if name in features[:index]:
            raise ConfigError(f"{name!r} is listed twice", key=("data", "features", index))


def _require_column(
    name: str, columns: list[str], path: Path, key: tuple[str | int, ...] | None = None
) -> None:
    if name not in columns:
        near = get_close_matches(name, columns, n=1)
        raise DataError(
            f"there is no column {name!r}; the columns are: {shown_names(columns)}",
            where=str(path),
            key=key,
            hint=f"did you mean {near[0]!r}?" if near else header_hint(columns),
        )


def _numbers(table: _Table, name: str) -> NDArray[np.float32]:
    """A column as finite float32, rounded from float64."""
    import polars as pl

    texts = table.columns[name]
    numbers = texts.cast(pl.Float64, strict=False)
    with np.errstate(over="ignore"):
        rounded = numbers.fill_null(float("nan")).to_numpy().astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(rounded))
    if wrong.size:
        row = int(wrong[0])
        text = texts[row]
        if text is None:
            raise _bad_cell(table, name, row)
        if numbers[row] is None:
            got = f"expected a number, got {text!r}"
        elif np.isfinite(numbers[row]):
            got = f"{text} is too large for float32, whose largest is 3.4e38"
        else:
            got = f"expected a finite number, got {text!r}"
        is_of_no_use = wrong.size == len(rounded) and len(table.columns) > 2
        hint = "data.features can leave a column out" if is_of_no_use else None
        raise _bad_cell(table, name, row, got, hint)
    return rounded


def _texts(table: _Table, name: str) -> list[str]:
    texts = table.columns[name]
    missing = np.flatnonzero(texts.is_null().to_numpy())
    if missing.size:
        raise _bad_cell(table, name, int(missing[0]))
    return [str(text) for text in texts.to_list()]


def _bad_cell(
    table: _Table,
    name: str,
    row: int,
    what: str = "the cell is empty",
    hint: str | None = "every cell needs a value",
) -> DataError:
    """What is wrong with a cell, unless its whole row is too short."""
    num_cells = width_of_row(table.path, int(table.row_numbers[row]))
    if 0 < num_cells < len(table.columns):
        return wrong_width(len(table.columns), num_cells, table.where(row))
    return DataError(f"column {name!r}: {what}", where=table.where(row), hint=hint)


def _parse(
    path: Path, names: list[str], features: tuple[str, ...], label: str | None
) -> tuple[NDArray[np.float32], list[str] | None] | None:
    """(features, labels) of a table without flaws, quickly; None where there is any doubt.

    Then the table is read as texts, which takes longer and can say what is wrong.
    """
    import polars as pl

    require_memory(path.stat().st_size * _PARSED_MEMORY_PER_FILE_BYTE, where=str(path))
    wanted = set(features)
    schema = {name: pl.Float64() if name in wanted else pl.String() for name in names}
    try:
        cells = pl.read_csv(_text_of(path), schema=schema)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    # Not by select, which takes "*" and "^a.*$" for patterns.
    needed = [cells.get_column(name) for name in (*features, *((label,) if label else ()))]
    if not cells.height or any(column.null_count() for column in needed):
        return None
    values = np.empty((cells.height, len(features)), np.float32)
    with np.errstate(over="ignore"):
        for position, name in enumerate(features):
            values[:, position] = cells.get_column(name).to_numpy()
    if not np.isfinite(values).all():
        return None
    if label is None:
        return values, None
    labels = cells.get_column(label).str.strip_chars()
    return None if (labels == "").any() else (values, labels.to_list())


def _text_of(path: Path) -> io.BytesIO:
    # The line break hides the first bytes from Polars, which takes "x^" for zlib's magic.
    with reading(path):
        return io.BytesIO(b"\n" + path.read_bytes().removeprefix(codecs.BOM_UTF8))


def _read_table(path: Path, names: list[str]) -> _Table:
    import polars as pl

    require_memory(path.stat().st_size * _TEXTS_MEMORY_PER_FILE_BYTE, where=str(path))
    try:
        cells = pl.read_csv(_text_of(path), infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise malformed(path, len(names), str(error)) from error
    if cells.width != len(names):
        raise DataError("the line ends are not those of one system", where=str(path))
    # Expressions take "*" and "^a.*$" for patterns, so no column keeps its name for now.
    cells.columns = [str(position) for position in range(len(names))]
    stripped = pl.all().str.strip_chars()
    cells = cells.select(pl.when(stripped != "").then(stripped).name.keep())
    is_blank = cells.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    if is_blank.any():
        is_blank &= blank_lines(path, len(is_blank))
    row_numbers = np.flatnonzero(~is_blank)
    if not len(row_numbers):
        raise DataError("the table has a header and no rows", where=str(path))
    columns = cells.filter(pl.Series(~is_blank)).get_columns()
    return _Table(path, dict(zip(names, columns, strict=True)), row_numbers)
