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

from bmtrain.data.csv_rows import blank_lines, data_rows, malformed, read_header, shown_names
from bmtrain.data.dataset import SplitName
from bmtrain.data.memory import require_memory
from bmtrain.data.source import Place, RawPart, Source, reading
from bmtrain.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl

SPLIT_FILES: dict[str, SplitName] = {
    "train.csv": "train",
    "validation.csv": "validation",
    "test.csv": "test",
}

# Texts, their parse and the float32 matrix, beside each other.
_MEMORY_PER_FILE_BYTE = 4


@dataclass(frozen=True, slots=True)
class _Table:
    """The cells of a file as texts, without spaces around them; null where empty.

    ``row_numbers[i]`` is the row in the file of row i here; blank lines are left out.
    """

    path: Path
    cells: pl.DataFrame
    row_numbers: NDArray[np.int64]

    def line_of_row(self, row: int) -> int:
        wanted = int(self.row_numbers[row])
        for number, (line, _) in enumerate(data_rows(self.path)):
            if number == wanted:
                return line
        return wanted + 2  # no multi-line cells: the header is line 1

    def where(self, row: int) -> str:
        return f"{self.path}, line {self.line_of_row(row)}"


def read_csv(path: Path, *, label: str | None, features: tuple[str, ...] | None) -> Source:
    """A CSV file, or a directory with train.csv and maybe validation.csv and test.csv.

    Every column but ``label`` is a feature unless ``features`` names them. The other
    files must have the columns of train.csv, in any order. DataError names file and line.
    """
    files: dict[SplitName, Path] = {"train": path}
    if path.is_dir():
        files = {
            split: path / name for name, split in SPLIT_FILES.items() if (path / name).exists()
        }
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
    table = _read_table(path)
    for name in (*features, *((label,) if label else ())):
        _require_column(name, table.cells.columns, path)
    values = np.empty((table.cells.height, len(features)), np.float32)
    for position, name in enumerate(features):
        values[:, position] = _numbers(table, name)
    place = Place(str(path), table.line_of_row)
    return RawPart(
        features=values,
        labels=_texts(table, label) if label else None,
        features_at=place,
        labels_at=place,
    )


def read_csv_examples(path: Path, *, features: tuple[str, ...], label: str | None) -> RawPart:
    """The examples of a file; of a directory those of test.csv, else of train.csv."""
    if path.is_dir():
        path = path / ("test.csv" if (path / "test.csv").exists() else "train.csv")
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
            hint=f"did you mean {near[0]!r}?" if near else "is the header line missing?",
        )


def _numbers(table: _Table, name: str) -> NDArray[np.float32]:
    """A column as finite float32, rounded from float64."""
    import polars as pl

    texts = table.cells[name]
    numbers = texts.cast(pl.Float64, strict=False)
    with np.errstate(over="ignore"):
        rounded = numbers.fill_null(float("nan")).to_numpy().astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(rounded))
    if wrong.size:
        row = int(wrong[0])
        text = texts[row]
        if text is None:
            raise _missing_cell(table, name, row)
        if numbers[row] is None:
            got = f"expected a number, got {text!r}"
        elif np.isfinite(numbers[row]):
            got = f"{text} is too large for float32, whose largest is 3.4e38"
        else:
            got = f"expected a finite number, got {text!r}"
        raise DataError(
            f"column {name!r}: {got}",
            where=table.where(row),
            hint="data.features can leave a column out",
        )
    return rounded


def _texts(table: _Table, name: str) -> list[str]:
    texts = table.cells[name]
    missing = np.flatnonzero(texts.is_null().to_numpy())
    if missing.size:
        raise _missing_cell(table, name, int(missing[0]))
    return [str(text) for text in texts.to_list()]


def _missing_cell(table: _Table, name: str, row: int) -> DataError:
    number = int(table.row_numbers[row])
    num_columns = table.cells.width
    cells = next((cells for i, (_, cells) in enumerate(data_rows(table.path)) if i == number), [])
    if 0 < len(cells) < num_columns:
        message = f"expected {num_columns} cells, got {len(cells)}"
    else:
        message = f"column {name!r}: the cell is empty"
    return DataError(message, where=table.where(row), hint="every cell needs a value")


def _read_table(path: Path) -> _Table:
    import polars as pl

    names = read_header(path)
    require_memory(path.stat().st_size * _MEMORY_PER_FILE_BYTE, where=str(path))
    try:
        with reading(path):
            text = path.read_bytes().removeprefix(codecs.BOM_UTF8)
            # The line break hides the first bytes from Polars, which takes "x^" for zlib's magic.
            cells = pl.read_csv(io.BytesIO(b"\n" + text), infer_schema=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise malformed(path, len(names), str(error)) from error
    if cells.width != len(names):
        raise DataError("the line ends are not those of one system", where=str(path))
    cells.columns = names
    stripped = pl.all().str.strip_chars()
    cells = cells.select(pl.when(stripped != "").then(stripped).name.keep())
    is_blank = cells.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
    if is_blank.any():
        is_blank &= blank_lines(path, len(is_blank))
    row_numbers = np.flatnonzero(~is_blank)
    if not len(row_numbers):
        raise DataError("the table has a header and no rows", where=str(path))
    return _Table(path, cells.filter(pl.Series(~is_blank)), row_numbers)
