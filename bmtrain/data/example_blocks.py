"""Examples for a trained model block by block, from files, directories and pipes, in little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import groupby
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from bmtrain.config.plugin_tables import FormatEntry
from bmtrain.data.arrays.idx import FILE_NAME, idx_blocks, idx_stream_blocks
from bmtrain.data.arrays.numpy_files import NPY_NAMES, npy_blocks, npy_stream_blocks, npz_blocks
from bmtrain.data.arrays.plugin_arrays import plugin_blocks, plugin_format
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.checked import fitting_features
from bmtrain.data.examples.dataset import BLOCK_SIZE, DataFacts
from bmtrain.data.formats import DATA_SUFFIXES, Format, choose_format
from bmtrain.data.missing_paths import missing_path_hint
from bmtrain.data.pictures.picture_blocks import picture_blocks, table_pictures
from bmtrain.data.pictures.picture_folders import pictures_below
from bmtrain.data.pictures.picture_sources import required_encoding
from bmtrain.data.raw.source import RawArray, RawPart, names_in
from bmtrain.data.tables.model_columns import columns_of, known_columns
from bmtrain.data.tables.table_formats import SPLIT_FILES, TABLE_FORMATS, is_table, table_blocks
from bmtrain.data.wording.picture_names import is_picture_name
from bmtrain.errors import DataError

#: Float32 values of one block; a multiple of rows is read as the model takes them at a time.
_BLOCK_VALUES: Final = 1 << 22
#: What stands for standard input on a command line.
STDIN: Final = Path("-")
_STDIN_NAME: Final = "standard input"

#: Formats of files, how they begin, and what to send through a pipe instead.
_READ_FROM_THE_END: Final[tuple[tuple[Format, bytes, str], ...]] = (
    ("npz", b"PK\x03\x04", "one array as .npy"),
    ("parquet", b"PAR1", "the table as .csv"),
)
_BLOCK_READERS: Final[dict[Format, Callable[[Path, int], Iterator[RawPart]]]] = {
    "idx": idx_blocks,
    "npz": npz_blocks,
    "npy": npy_blocks,
}


@dataclass(frozen=True, slots=True)
class Block:
    """Some of the examples, (rows, …) as the model takes them, and the file they are from.

    Attributes:
        files: of each row where they are pictures, each a file of its own; ``source`` is then
            what named them, or the first of them.
    """

    features: RawArray
    source: Path
    files: tuple[Path, ...] | None = None


def examples_in(paths: Sequence[Path]) -> list[Path]:
    """The files and directories of examples that ``paths`` mean, in their order.

    A directory that is none of a known form stands for its data files, in the order of their
    names; one of pictures for all that are in it and in its directories.

    Raises:
        DataError: nothing is there, or a directory holds no data.
    """
    found = []
    for path in paths:
        if path == STDIN or not path.is_dir() or _has_known_form(path):
            found.append(path)
            continue
        names = [name for name in names_in(path) if _is_data(path / name)]
        if not all(map(is_picture_name, names)):
            found += [path / name for name in names]
            continue
        pictures = list(pictures_below(path))
        if not pictures:
            raise DataError(
                "the directory holds no data: expected files of examples, "
                f"{', '.join(sorted(DATA_SUFFIXES))} or IDX",
                where=str(path),
            )
        found += pictures
    return found


def example_blocks(
    source: Path,
    facts: DataFacts,
    *,
    format: str = "auto",  # noqa: A002  # the option's name on the command line
    ignore_unknown: bool = False,
    stdin: BufferedReader[Any] | None = None,
    formats: Mapping[str, FormatEntry] | None = None,
) -> Iterator[Block]:
    """The examples of one file or directory, or of ``stdin``, checked as they are read.

    Blocks have a multiple of ``BLOCK_SIZE`` rows, but for the last: how much is read at once
    never shows in what is computed. A table's columns beside the features and the label are
    refused, or with ``ignore_unknown`` not looked at. ``formats``: what plugins add.

    Raises:
        DataError: at the first block that is damaged or does not fit ``facts``.
    """
    num_rows = _num_rows(facts)
    entry = None if source == STDIN else plugin_format(source, format, formats or {})
    if entry is not None:
        parts = plugin_blocks(entry, source, num_rows)
        for features in _regrouped(fitting_features(part, facts) for part in parts):
            yield Block(features, source)
        return
    if (pictures := _pictures(source, facts, format)) is not None:
        encoding = required_encoding(facts, str(source))
        for features, files in picture_blocks(pictures, encoding, num_rows):
            yield Block(features, source, files)
        return
    known = None if ignore_unknown else known_columns(facts)
    if source == STDIN:
        assert stdin is not None
        parts = _of_pipe(stdin, facts, format, num_rows, known)
    else:
        parts = _of_path(source, facts, format, num_rows, known)
    for features in _regrouped(fitting_features(part, facts) for part in parts):
        yield Block(features, source)


def blocks_of_all(
    sources: Sequence[Path],
    facts: DataFacts,
    *,
    format: str = "auto",  # noqa: A002  # as above
    ignore_unknown: bool = False,
    stdin: BufferedReader[Any] | None = None,
    formats: Mapping[str, FormatEntry] | None = None,
) -> Iterator[Block]:
    """The examples of several; pictures that follow one another fill blocks together."""
    for are_pictures, group in groupby(sources, lambda source: _is_picture(source, format)):
        if not are_pictures:
            for source in group:
                yield from example_blocks(
                    source,
                    facts,
                    format=format,
                    ignore_unknown=ignore_unknown,
                    stdin=stdin,
                    formats=formats,
                )
            continue
        named = list(group)
        encoding = required_encoding(facts, str(named[0]))
        for features, files in picture_blocks(named, encoding, _num_rows(facts)):
            yield Block(features, named[0], files)


def _num_rows(facts: DataFacts) -> int:
    return max(1, _BLOCK_VALUES // prod(facts.input_shape) // BLOCK_SIZE) * BLOCK_SIZE


def _is_picture(source: Path, wanted: str) -> bool:
    is_called_so = wanted == "images" or (wanted == "auto" and is_picture_name(source.name))
    return is_called_so and source != STDIN and source.is_file()


def _pictures(source: Path, facts: DataFacts, wanted: str) -> Iterable[Path] | None:
    """What ``source`` means where that is pictures; None: it is something else."""
    if source == STDIN or not source.exists():
        return None  # whose reader says so
    found = choose_format(source, wanted)
    if is_table(found) and isinstance(facts.encoding, ImageEncoding):
        return table_pictures(source, facts, found)
    if found != "images":
        return None
    return pictures_below(source) if source.is_dir() else [source]


def _of_path(
    source: Path, facts: DataFacts, wanted: str, num_rows: int, known: Sequence[str] | None
) -> Iterator[RawPart]:
    try:
        found = choose_format(source, wanted)
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            error.hint = missing_path_hint(source)
        raise
    if is_table(found):
        yield from table_blocks(source, columns_of(facts, str(source)), found, known)
    else:
        yield from _BLOCK_READERS[found](source, num_rows)


def _of_pipe(
    stdin: BufferedReader[Any],
    facts: DataFacts,
    wanted: str,
    num_rows: int,
    known: Sequence[str] | None,
) -> Iterator[RawPart]:
    start = stdin.peek(8)[:8]
    if not start:
        raise DataError("there is nothing to read", where=_STDIN_NAME)
    for name, magic, hint in _READ_FROM_THE_END:
        if wanted == name or (wanted == "auto" and start[: len(magic)] == magic):
            raise DataError(
                f"{name} cannot be read from a pipe: what it holds is listed at its end",
                where=_STDIN_NAME,
                hint=f"name the file, or send {hint}",
            )
    if wanted == "npy" or (wanted == "auto" and start[:6] == b"\x93NUMPY"):
        yield from npy_stream_blocks(stdin, _STDIN_NAME, num_rows)
    elif wanted == "idx" or (wanted == "auto" and start[:2] in (b"\0\0", b"\x1f\x8b")):
        yield from idx_stream_blocks(stdin, _STDIN_NAME, num_rows)
    else:
        is_jsonl = wanted == "jsonl" or (wanted == "auto" and start.lstrip()[:1] == b"{")
        reader = TABLE_FORMATS["jsonl" if is_jsonl else "csv"].stream
        assert reader is not None
        yield from reader(stdin, _STDIN_NAME, columns_of(facts, _STDIN_NAME), known)


def _regrouped(blocks: Iterator[RawArray]) -> Iterator[RawArray]:
    held: RawArray | None = None
    for block in blocks:
        rows = block if held is None else np.concatenate([held, block])
        whole = len(rows) // BLOCK_SIZE * BLOCK_SIZE
        if whole:
            yield rows[:whole]
        held = rows[whole:] if whole < len(rows) else None
    if held is not None:
        yield held


def _has_known_form(directory: Path) -> bool:
    names = set(names_in(directory))
    known = names & (NPY_NAMES | SPLIT_FILES)
    return bool(known) or any(FILE_NAME.fullmatch(name) for name in names)


def _is_data(path: Path) -> bool:
    has_suffix = path.suffix.lower() in DATA_SUFFIXES or path.name.endswith(("-ubyte", "-ubyte.gz"))
    return has_suffix and not path.name.startswith(".") and path.is_file()
