"""Converted sets: made where the user says, or in the cache, and read like their source."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bmtrain.config.sections.data import DataSection, TokensSection
from bmtrain.data.arrays import numpy_files
from bmtrain.data.raw.coded_texts import CodedTexts
from bmtrain.data.raw.columns import number_columns
from bmtrain.data.raw.source import RawPart, Source, SplitName, reading
from bmtrain.data.raw.storage import Storage
from bmtrain.data.records.agreement import require_same
from bmtrain.data.records.coded_source import coded_source
from bmtrain.data.records.fixed_records import read_description
from bmtrain.data.records.record_cache import MAX_BYTES, MIN_FREE_BYTES, cache_directory
from bmtrain.data.records.table_records import write_table
from bmtrain.data.tables.table_formats import TableFormatName, TableLayout
from bmtrain.durable import environment_faults, flush_directory
from bmtrain.errors import DataError
from bmtrain.machine import is_alive

_WRITING: Final = ".bmtrain-converting"
_SUFFIX: Final = ".set"


def read_converted(directory: Path, section: DataSection, storage: Storage) -> Source:
    """The set in ``directory``, verified; DataError where it is damaged."""
    description = read_description(directory)
    require_same(section, description, directory)
    names, coding, beside = description.columns, description.coding, description.beside
    is_coded = names is not None and (coding is not None or section.missing != "error")
    if is_coded:
        storage = Storage("stream")  # whether they are to be held is asked of the inputs
    weight = "w" if section.sample_weight is not None and beside.weight else None
    source = numpy_files.read_npy_directory(directory, weight=weight, storage=storage)
    if section.splits.group is not None and beside.group is not None:
        source = dataclasses.replace(source, parts=_with_groups(source, directory))
    source = dataclasses.replace(
        source,
        columns=None if names is None else number_columns(names),
        label_name=beside.label,
        weight_name=None if weight is None else beside.weight,
    )
    if is_coded:
        source = coded_source(directory, source, names or (), coding)
    return source


def read_cached(
    layout: TableLayout, section: DataSection, name: TableFormatName, storage: Storage
) -> Source:
    """A table too large to be held: converted once into the cache, and read from there.

    Raises:
        DataError: the table is wrong. EnvironmentFault: the cache cannot be written, or is full.
    """
    root = cache_directory()
    where = str(layout.files["train"])
    hint = "bmtrain convert SOURCE OUT writes it elsewhere; or data.storage: resident"
    if root is None:
        raise DataError("it is too large to be held, and there is no cache", where=where, hint=hint)
    tokens = None if section.text is None else section.tokens
    target = root / f"{_key(layout, tokens)}{_SUFFIX}"
    if target.is_dir():
        try:
            source = read_converted(target, section, storage)
        except DataError:
            shutil.rmtree(target, ignore_errors=True)  # damaged: it is made again
        else:
            with suppress(OSError):
                os.utime(target)  # those that were not used for longest are removed first
            return source
    with environment_faults(root, "write"), written_whole(target) as directory:
        write_table(directory, layout, name, tokens, spare_bytes=MIN_FREE_BYTES)
    _prune(root, keep=target)
    return read_converted(target, section, storage)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """An empty directory that takes the name ``target``, which must be free, when the block ends well.

    Raises ``OSError``.
    """
    _remove_abandoned(target.parent)
    directory = target.parent / f"{_WRITING}-{os.getpid()}-{secrets.token_hex(4)}"
    directory.mkdir()
    try:
        yield directory
        flush_directory(directory)
        directory.rename(target)
        flush_directory(target.parent)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _with_groups(source: Source, directory: Path) -> dict[SplitName, RawPart]:
    parts = {}
    for split, part in source.parts.items():
        path = directory / f"group_{split}.npy"
        groups = numpy_files.read_npy_labels(path)
        if not isinstance(groups, CodedTexts) or len(groups) != len(part.features):
            raise DataError(
                f"expected one text per example, got {len(groups):,} values for "
                f"{len(part.features):,} examples",
                where=str(path),
                hint="convert the source again",
            )
        parts[split] = dataclasses.replace(part, groups=groups)
    return parts


def _key(layout: TableLayout, tokens: TokensSection | None) -> str:
    """Of all that decides what the set holds."""
    facts: list[object] = [layout.columns, layout.beside]
    if tokens is not None:
        facts.append((tokens.level, tokens.lowercase, tokens.length))
    for split, file in layout.files.items():
        with reading(file):
            status = file.stat()
        facts.append((split, str(file.resolve()), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _prune(root: Path, *, keep: Path) -> None:
    """Sets that were not used for longest first, down to ``MAX_BYTES``."""
    sets = []
    for path in root.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            size = sum(file.stat().st_size for file in path.iterdir())
            sets.append((path.stat().st_mtime, size, path))
    excess = sum(size for _, size, _ in sets) - MAX_BYTES
    for _, size, path in sorted(sets):
        if excess > 0 and path != keep:
            shutil.rmtree(path, ignore_errors=True)
            excess -= size


def _remove_abandoned(root: Path) -> None:
    """What processes that were killed have left half written."""
    for path in root.glob(f"{_WRITING}-*-*"):
        process = path.name.removeprefix(f"{_WRITING}-").split("-")[0]
        if process.isdigit() and not is_alive(int(process)):
            shutil.rmtree(path, ignore_errors=True)
