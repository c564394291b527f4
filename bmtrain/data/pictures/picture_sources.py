"""Sources of pictures: folders of class directories, and tables of paths and labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bmtrain.config.sections.data import DataSection
from bmtrain.config.sections.image import DEFAULT_IGNORE, ImageSection
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.pictures.picture_folders import (
    LabelledPictures,
    pictures_below,
    read_folder,
    require_within,
)
from bmtrain.data.pictures.pictures import picture_records
from bmtrain.data.raw.columns import Beside, Column, RawColumns
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import Place, RawPart, Source, SplitName
from bmtrain.data.raw.split_files import split_files
from bmtrain.data.tables.column_names import require_columns
from bmtrain.data.tables.column_roles import config_keys
from bmtrain.data.tables.table_formats import (
    TABLE_FORMATS,
    TableFormatName,
    example_file,
    is_table,
)
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import ConfigError, DataError

_IMAGE = ("data", "image")
_NO_INPUTS = np.empty((0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class _Named:
    """Pictures that are not decoded yet; ``rest`` has their labels and weights, its features do not count."""

    files: tuple[Path, ...]
    rest: RawPart


def read_picture_folder(path: Path, section: DataSection) -> Source:
    """The pictures of a folder; labels are the names of the class directories.

    Raises:
        ConfigError: ``section`` does not say what size they are to have.
        DataError: the folder has another form, or a picture cannot be read.
    """
    ignore = DEFAULT_IGNORE if section.image is None else section.image.ignore
    folder = read_folder(path, ignore)
    if section.image is None:
        raise _without_size(folder["train"].files if "train" in folder else ())
    if "train" not in folder:
        raise DataError("the directory train is missing", where=str(path))
    if section.sample_weight is not None:
        raise ConfigError("a folder of pictures has no weights", key=("data", "sample_weight"))
    named = {split: _of_class_directories(found) for split, found in folder.items()}
    return Source(_parts(named, ImageEncoding.of(section.image)))


def read_picture_table(
    path: Path, section: DataSection, image: ImageSection, name: TableFormatName
) -> Source:
    """The pictures that a table names, or a directory with train.csv and others.

    Raises:
        ConfigError: the label column is not named, or which column has the paths is unclear.
        DataError: a path leads out of the table's directory, or a picture cannot be read.
    """
    files = split_files(path, name, section.splits)
    columns = TABLE_FORMATS[name].header(files["train"])
    if section.label is None:
        raise ConfigError(
            "a table needs data.label, the column to predict",
            key=("data", "label"),
            hint=f"the columns are: {listed(columns)}",
        )
    beside = Beside(section.label, section.sample_weight, section.splits.group)
    require_columns(config_keys(section, section.label), columns, str(files["train"]))
    column = _path_column(columns, beside, image.column)
    named = {split: _read_paths(file, column, beside, name) for split, file in files.items()}
    parts = _parts(named, ImageEncoding.of(image))
    return Source(parts, label_name=section.label, weight_name=section.sample_weight)


def read_picture_part(path: Path, facts: DataFacts, found: str, *, labels: bool) -> RawPart:
    """Pictures for a trained model; where labels are asked for, of a folder those of test, else train.

    Raises:
        DataError: the model takes no pictures, or there are no labels; as for a source.
    """
    encoding = required_encoding(facts, str(path))
    if is_table(found):
        named = _of_table(path, facts, encoding, found, labels=labels)
    elif not labels:
        files = tuple(pictures_below(path)) if path.is_dir() else (path,)
        place = Place(str(path), files=files)
        named = _Named(files, RawPart(_NO_INPUTS, None, place, place))
    else:
        named = _of_class_directories(_of_folder(path))
    return _parts({"test": named}, encoding)["test"]


def required_encoding(facts: DataFacts, where: str) -> ImageEncoding:
    """How a model's pictures are made; DataError where it takes none."""
    if not isinstance(facts.encoding, ImageEncoding):
        raise DataError("the model was not trained on pictures", where=where)
    return facts.encoding


def _of_table(
    path: Path, facts: DataFacts, encoding: ImageEncoding, name: TableFormatName, *, labels: bool
) -> _Named:
    if labels and facts.label_name is None:
        raise DataError(
            "the model was trained on a folder: which column of a table has the labels is not "
            "known",
            where=str(path),
            hint="give a folder with a directory for each class",
        )
    file = example_file(path, name)
    column = table_column(file, facts, encoding, name)
    beside = Beside(facts.label_name, facts.weight_name) if labels else Beside()
    return _read_paths(file, column, beside, name)


def _of_folder(path: Path) -> LabelledPictures:
    if not path.is_dir():
        raise DataError(
            "a picture alone has no label",
            where=str(path),
            hint="give a folder with a directory for each class",
        )
    folder = read_folder(path, DEFAULT_IGNORE)
    return next(folder[name] for name in ("test", "train", "validation") if name in folder)


def table_column(
    table: Path, facts: DataFacts, encoding: ImageEncoding, name: TableFormatName
) -> str:
    """The column of a table that has the paths: called as in training, or else the only one."""
    columns = TABLE_FORMATS[name].header(table)
    if encoding.column in columns:
        return encoding.column
    others = [name for name in columns if name not in {facts.label_name, facts.weight_name}]
    if len(others) == 1:
        return others[0]
    called = "" if encoding.column is None else f" called {quoted(encoding.column)}, or"
    raise DataError(
        f"which column has the pictures' paths? The columns are: {listed(others)}",
        where=str(table),
        hint=f"give a table with a column of paths{called} alone; or the pictures, or their folder",
    )


def picture_paths(table: Path, column: str, name: TableFormatName) -> tuple[Path, ...]:
    """The files that ``column`` of a table names, in its order.

    Raises:
        DataError: a cell is empty, or a path leads nowhere or out of the table's directory.
    """
    return _read_paths(table, column, Beside(), name).files


def _read_paths(table: Path, column: str, beside: Beside, name: TableFormatName) -> _Named:
    """The files that ``column`` of a table names, and what is beside it. DataError as above."""
    read = TABLE_FORMATS[name].part
    part = read(table, (Column(column, "texts"),), beside, may_leave_out=False)
    return _Named(resolved_paths(part, column, table.parent), part)


def _of_class_directories(found: LabelledPictures) -> _Named:
    place = Place(str(found.directory), files=found.files)
    return _Named(found.files, RawPart(_NO_INPUTS, found.labels, place, place))


def resolved_paths(part: RawPart, column: str, directory: Path) -> tuple[Path, ...]:
    """The paths of a table's rows, relative to ``directory``, which they must not lead out of."""
    assert isinstance(part.features, RawColumns)
    root = directory.resolve()
    texts = part.features.texts[column].to_list()
    for row, text in enumerate(texts):
        if "\0" in text:
            raise DataError("a path cannot hold a null character", where=part.features_at.row(row))
        require_within(root, directory / text, f"{part.features_at.row(row)}: {directory / text}")
    return tuple(directory / text for text in texts)


def _parts(named: Mapping[SplitName, _Named], encoding: ImageEncoding) -> dict[SplitName, RawPart]:
    """All splits are parts of one file of records."""
    files = [file for found in named.values() for file in found.files]
    records = picture_records(files, encoding)
    parts: dict[SplitName, RawPart] = {}
    start = 0
    for name, found in named.items():
        stop = start + len(found.files)
        place = dataclasses.replace(found.rest.features_at, files=found.files)
        rows = records.part(start, stop) if isinstance(records, FileRows) else records[start:stop]
        parts[name] = dataclasses.replace(found.rest, features=rows, features_at=place)
        start = stop
    return parts


def _path_column(columns: Sequence[str], beside: Beside, wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in columns:
            raise DataError(
                f"there is no column {quoted(wanted)}; the columns are: {listed(columns)}",
                key=(*_IMAGE, "column"),
                hint=did_you_mean(wanted, columns),
            )
        return wanted
    others = [name for name in columns if name not in {beside.label, beside.weight, beside.group}]
    if len(others) != 1:
        raise ConfigError(
            f"which column has the pictures' paths? The columns are: {listed(others)}",
            key=_IMAGE,
            hint=f"data.image.column: {others[0]}" if others else None,
        )
    return others[0]


def _without_size(files: Sequence[Path]) -> ConfigError:
    """With the size that the first picture has."""
    from bmtrain.data.pictures.picture_decoding import picture_header, pillow_quiet

    hint = "data.image: {size: [HEIGHT, WIDTH], channels: 3}"
    if files:
        with pillow_quiet():
            (width, height), is_grey = picture_header(files[0])
        hint = f"the first is {width} × {height}: data.image: {{size: [{height}, {width}], "
        hint += f"channels: {1 if is_grey else 3}}}"
    return ConfigError(
        "pictures need data.image, the size to bring them to", key=("data",), hint=hint
    )
