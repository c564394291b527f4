"""What a config's ``data:`` section names, read by the reader of its format: all published splits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bmtrain.config.plugin_tables import FormatEntry
from bmtrain.config.sections.data import DataFormat, DataSection
from bmtrain.data.arrays.plugin_arrays import plugin_format, read_plugin_source
from bmtrain.data.bundled import bundled_set, is_bundled_name
from bmtrain.data.formats import ARRAY_READERS, Format, choose_format
from bmtrain.data.missing_paths import missing_path_hint, missing_source_hint
from bmtrain.data.pictures.picture_sources import read_picture_folder, read_picture_table
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.memory import require_memory
from bmtrain.data.raw.source import Source
from bmtrain.data.raw.storage import Storage
from bmtrain.data.records.conversion import read_cached, read_converted
from bmtrain.data.records.fixed_records import (
    DESCRIPTION,
    Description,
    read_description,
    write_source,
)
from bmtrain.data.records.record_cache import extracted_rows
from bmtrain.data.records.table_records import write_table
from bmtrain.data.tables.table_formats import (
    TableFormatName,
    is_table,
    read_table_source,
    table_layout,
)
from bmtrain.errors import ConfigError, DataError


def read_source(section: DataSection) -> Source:
    """All that the source of ``section`` has published, not yet checked.

    A bundled table knows its label where ``section`` names none. Features that are to be
    streamed stay in their file, where their form allows it.

    Raises:
        DataError: it is missing or damaged.
        ConfigError: the section contradicts the kind of its source.
    """
    storage = Storage(section.storage, extract=extracted_rows)
    return _settled(_read(section, storage), storage)


def convert_into(directory: Path, section: DataSection) -> Description:
    """Write what ``section`` names as fixed records into an empty ``directory``.

    Raises:
        DataError, ConfigError: as ``read_source`` does, or it cannot be converted.
        OSError: it cannot be written.
    """
    path, data_format, label = _meant(section)
    if plugin_format(path, data_format, section.plugins.formats) is not None:
        write_source(directory, _read(section, Storage()), section.splits.group)
        return read_description(directory)
    found = _format(path, data_format)
    _require_split_files(section, path, found)
    if is_table(found) and section.image is None:
        section = section.model_copy(update={"label": label})
        tokens = None if section.text is None else section.tokens
        write_table(directory, table_layout(path, section, found), found, tokens)
    else:
        source = _read(section, Storage("stream", any_order=True, extract=extracted_rows))
        write_source(directory, source, section.splits.group)
    return read_description(directory)


def _settled(source: Source, storage: Storage) -> Source:
    """What is in a file and need not stay there is read: a reader may have its own, a cache's say."""
    parts = dict(source.parts)
    for name, part in parts.items():
        raw = part.features
        if isinstance(raw, FileRows) and not storage.streams(raw.shape, raw.dtype):
            require_memory(raw.nbytes, where=part.features_at.name)
            parts[name] = dataclasses.replace(part, features=raw[:])
    return dataclasses.replace(source, parts=parts)


def _read(section: DataSection, storage: Storage) -> Source:
    path, data_format, label = _meant(section)
    if (entry := plugin_format(path, data_format, section.plugins.formats)) is not None:
        return _read_with_plugin(entry, path, section)
    found = _format(path, data_format)
    _require_split_files(section, path, found)
    if is_table(found):
        section = section.model_copy(update={"label": label})
        return _read_table(path, section, found, storage)
    if found == "npy" and (path / DESCRIPTION).is_file():
        return read_converted(path, section, storage)
    _require_no_table(section, path, found)
    if path.is_dir() == (found == "npz"):
        wanted = "a file" if found == "npz" else "a directory"
        raise DataError(
            f"expected {wanted} for the format {found}",
            where=str(path),
            key=("data", "source"),
            hint=None if found == "npz" else f"name the directory, {path.parent}",
        )
    if found == "images":
        return read_picture_folder(path, section)
    group = section.splits.group
    return ARRAY_READERS[found](path, weight=section.sample_weight, group=group, storage=storage)


def _read_with_plugin(entry: FormatEntry, path: Path, section: DataSection) -> Source:
    for split in section.splits.files:
        key = ("data", "splits", split)
        raise ConfigError(f"names a file beside a table, and {path.name} is none", key=key)
    _require_no_table(section, path, entry.name)
    try:
        return read_plugin_source(
            entry, path, weight=section.sample_weight, group=section.splits.group
        )
    except DataError as error:
        if error.key is None and isinstance(error.__cause__, FileNotFoundError):
            error.key, error.hint = ("data", "source"), missing_source_hint(path)
        raise


def _require_split_files(section: DataSection, path: Path, found: Format) -> None:
    """The files that ``data.splits`` names are tables of the source's format, which is a table's."""
    for split, file in section.splits.files.items():
        key = ("data", "splits", split)
        if not is_table(found):
            raise ConfigError(
                f"names a file beside a table, and {path.name} is {found.upper()}", key=key
            )
        if file.is_dir():
            raise DataError("expected a file, got a directory", where=str(file), key=key)
        try:
            other = choose_format(file, section.format)
        except DataError as error:
            error.key = key
            if isinstance(error.__cause__, FileNotFoundError):
                error.hint = missing_path_hint(file)
            raise
        if other != found:
            message = f"expected {found.upper()} like the source, got {other.upper()}"
            raise DataError(message, where=str(file), key=key)


def _format(path: Path, wanted: DataFormat) -> Format:
    try:
        return choose_format(path, wanted)
    except DataError as error:
        error.key = ("data", "source")
        if isinstance(error.__cause__, FileNotFoundError):
            error.hint = missing_source_hint(path)
        raise


def _meant(section: DataSection) -> tuple[Path, DataFormat, str | None]:
    """Path, format and label column; what a bundled set knows of itself fills in what is not said."""
    if not is_bundled_name(section.source):
        return Path(section.source), section.format, section.label
    bundled = bundled_set(section.source)
    data_format = bundled.format if section.format == "auto" else section.format
    return bundled.path, data_format, bundled.label if section.label is None else section.label


def _read_table(
    path: Path, section: DataSection, found: TableFormatName, storage: Storage
) -> Source:
    if section.image is None:
        layout = table_layout(path, section, found)
        if storage.streams_files(layout.files.values()):
            return read_cached(layout, section, found, storage)
        return read_table_source(path, section, found)
    for key in ("features", "categorical", "text"):
        if getattr(section, key):
            raise ConfigError("of a table of pictures they are the features", key=("data", key))
    return read_picture_table(path, section, section.image, found)


def _require_no_table(section: DataSection, path: Path, found: str) -> None:
    for key in ("label", "features", "categorical", "text"):
        if getattr(section, key):
            raise ConfigError(
                f"names columns of a table, and {path.name} is {found.upper()}: it has none",
                key=("data", key),
            )
    if section.splits.group is not None and found == "images":
        raise ConfigError(
            f"names a column of a table, and {path.name} is {found.upper()}: it has none",
            key=("data", "splits", "group"),
        )
    if section.image is not None and found != "images":
        raise ConfigError(
            f"is about pictures, and {path.name} is {found.upper()}", key=("data", "image")
        )
