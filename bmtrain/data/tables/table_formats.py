"""Tables of every format: files, splits, which column is what, the examples of a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, Protocol, TypeGuard

from bmtrain.config.sections.data import DataSection
from bmtrain.data.raw.columns import Beside, Column
from bmtrain.data.raw.source import RawPart, Source, SplitName, names_in
from bmtrain.data.raw.split_files import SPLITS, split_files
from bmtrain.data.tables import csv_blocks, csv_rows, csv_table, jsonl_table, parquet_table
from bmtrain.data.tables.cells import Cells
from bmtrain.data.tables.column_names import names_wanted, require_columns, require_label
from bmtrain.data.tables.column_roles import (
    column_roles,
    config_keys,
    feature_columns,
    require_sound,
)
from bmtrain.data.tables.model_columns import require_known
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import ConfigError

TableFormatName = Literal["csv", "jsonl", "parquet"]
_Key = tuple[str | int, ...]


class PartReader(Protocol):
    """Reads columns, found by name, and those beside them."""

    def __call__(
        self, path: Path, columns: tuple[Column, ...], beside: Beside, *, may_leave_out: bool
    ) -> RawPart:
        """``may_leave_out``: whether a hint may say so; DataError names the file and the row."""


class BlockReader(Protocol):
    """The same block by block, in little memory."""

    def __call__(
        self, path: Path, columns: tuple[Column, ...], beside: Beside | None = None
    ) -> Iterator[RawPart]:
        """``beside`` None: the examples of a trained model, without labels."""


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How the tables of one format are read.

    Attributes:
        header: the names of the columns.
        cells: all columns as texts.
        part: some columns and those beside them.
        blocks: some columns, block by block, in little memory.
        stream: the same of a pipe and its name; None where a file's end must be read first.
    """

    header: Callable[[Path], list[str]]
    cells: Callable[[Path], Cells]
    part: PartReader
    blocks: BlockReader
    stream: (
        Callable[[BinaryIO, str, tuple[Column, ...], Sequence[str] | None], Iterator[RawPart]]
        | None
    ) = None


#: name, which is the ending of its files, too -> format.
TABLE_FORMATS: Final[Mapping[TableFormatName, TableFormat]] = {
    "csv": TableFormat(
        header=csv_rows.read_header,
        cells=csv_table.read_cells,
        part=csv_table.read_table_part,
        blocks=csv_blocks.csv_file_blocks,
        stream=csv_blocks.csv_blocks,
    ),
    "jsonl": TableFormat(
        header=jsonl_table.read_header,
        cells=jsonl_table.read_cells,
        part=jsonl_table.read_part,
        blocks=jsonl_table.jsonl_file_blocks,
        stream=jsonl_table.jsonl_blocks,
    ),
    "parquet": TableFormat(
        header=parquet_table.read_header,
        cells=parquet_table.read_cells,
        part=parquet_table.read_part,
        blocks=parquet_table.parquet_blocks,
    ),
}


def is_table(name: str) -> TypeGuard[TableFormatName]:
    """Whether a format's name is one of a table's."""
    return name in TABLE_FORMATS


#: The files of a directory of tables.
SPLIT_FILES: Final[frozenset[str]] = frozenset(
    f"{split}.{name}" for split in SPLITS for name in TABLE_FORMATS
)


def example_file(path: Path, name: TableFormatName) -> Path:
    """A file is itself; of a directory the examples to judge a model by: test, else train."""
    if not path.is_dir():
        return path
    return path / (f"test.{name}" if f"test.{name}" in names_in(path) else f"train.{name}")


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The files of a table's splits, and which columns are what."""

    files: Mapping[SplitName, Path]
    columns: tuple[Column, ...]
    beside: Beside


def read_table_source(path: Path, section: DataSection, name: TableFormatName) -> Source:
    """All splits, as ``table_layout`` finds them. DataError with file and line."""
    layout = table_layout(path, section, name)
    parts = {
        split: TABLE_FORMATS[name].part(file, layout.columns, layout.beside, may_leave_out=True)
        for split, file in layout.files.items()
    }
    beside = layout.beside
    return Source(parts, layout.columns, label_name=beside.label, weight_name=beside.weight)


def table_layout(path: Path, section: DataSection, name: TableFormatName) -> TableLayout:
    """A file, or a directory of one per split.

    Every column but the label, weights and groups is a feature unless ``section.features`` or
    ``section.text`` names them. The other files must have the columns of train, in any order.

    Raises:
        DataError: with file and line.
        ConfigError: the section names what is no column, or no feature.
    """
    reader = TABLE_FORMATS[name]
    files = split_files(path, name, section.splits)
    label, features = section.label, section.features
    columns = reader.header(files["train"])
    if label is None:
        raise ConfigError(
            "a table needs data.label, the column to predict",
            key=("data", "label"),
            hint=f"the columns are: {listed(columns)}",
        )
    keys = config_keys(section, label)
    if section.text is not None:
        features = (section.text,)
        keys.setdefault(section.text, ("data", "text"))
    for index, feature in enumerate(section.features or ()):
        keys.setdefault(feature, ("data", "features", index))
    hint = csv_rows.header_hint(columns) if name == "csv" else None
    require_columns(keys, columns, str(files["train"]), hint)
    roles = column_roles(section, label)
    names = features or tuple(column for column in columns if column not in roles)
    require_sound(names, roles)
    wanted = feature_columns(names, section, roles)
    beside = Beside(label, section.sample_weight, section.splits.group)
    return TableLayout(files, wanted, beside)


def read_table_examples(
    path: Path,
    columns: tuple[Column, ...],
    beside: Beside,
    name: TableFormatName,
    known: Sequence[str] | None = None,
) -> RawPart:
    """The columns that a model takes, found by name; of others ``known`` says which may be there.

    ``known`` None: any; they are not looked at.
    """
    file = example_file(path, name)
    _require_header(file, columns, beside, name, known)
    return TABLE_FORMATS[name].part(file, columns, beside, may_leave_out=False)


def table_blocks(
    path: Path,
    columns: tuple[Column, ...],
    name: TableFormatName,
    known: Sequence[str] | None = None,
) -> Iterator[RawPart]:
    """The same without labels, block by block."""
    file = example_file(path, name)
    _require_header(file, columns, Beside(), name, known)
    return TABLE_FORMATS[name].blocks(file, columns)


def _require_header(
    file: Path,
    columns: tuple[Column, ...],
    beside: Beside,
    name: TableFormatName,
    known: Sequence[str] | None,
) -> None:
    """What is missing is told before what is unknown: of a misspelt column both are true."""
    present = TABLE_FORMATS[name].header(file)
    if beside.label is not None:
        require_label(beside.label, present, str(file))
    if known is None:
        return
    hint = csv_rows.header_hint(present) if name == "csv" else None
    if beside.weight is not None and beside.weight not in present:
        hint = f"{quoted(beside.weight)} has the examples' weights: the loss is weighted by them"
    require_columns(names_wanted(columns, beside), present, str(file), hint)
    require_known(present, known, f"{file}, line 1" if name == "csv" else str(file))
