"""A source converted to fixed records: .npy files that anyone reads, and what they do not say.

``x_train.npy``, ``y_train.npy`` and so on hold what the source does, before splits are drawn;
texts are texts. ``dataset.json`` has the columns' names and the files' sizes and sha256. Training
from it gives the bits that training from the source gives.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.sections.data import TokensSection
from bmtrain.data.raw.columns import Beside
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import RawArray, RawPart, Source, SplitName, opened
from bmtrain.data.records.beside_records import BesideRecords
from bmtrain.errors import DataError
from bmtrain.progress import tell_progress

DESCRIPTION: Final = "dataset.json"
_VERSION: Final = 1
_HEADER_BYTES: Final = 256
_BLOCK_BYTES: Final = 1 << 26
_MAX_DESCRIPTION_BYTES: Final = 1 << 24
#: Beside the arrays of a table with texts: what their numbers stand for.
TEXTS: Final = "texts.json"
_OF_TOKENS: Final = ("level", "lowercase", "length")
_MAX_LENGTH: Final = 100_000


@dataclass(frozen=True, slots=True)
class Coding:
    """What of a table is no number, or need not be there.

    Attributes:
        texts: the columns of texts, which are numbers in the records: see ``table_records``.
        gaps: missing cells are NaN in the records; else there were to be none.
        tokens: how the one column of texts was cut into tokens; None: texts are categories.
    """

    texts: tuple[str, ...]
    gaps: bool
    tokens: TokensSection | None


@dataclass(frozen=True, slots=True)
class Description:
    """What ``dataset.json`` says; ``files`` are sizes and sha256 by name."""

    columns: tuple[str, ...] | None
    beside: Beside
    files: Mapping[str, tuple[int, str]]
    coding: Coding | None = None


def write_source(directory: Path, source: Source, group: str | None) -> None:
    """Convert what is no table into an empty ``directory``. Raises ``OSError``.

    ``group``: the name that the config has for the examples' groups.
    """
    if source.columns is not None:
        raise DataError("this is a converted table already: copy its directory")
    for split, part in source.parts.items():
        write_split(directory, split, _blocks(part))
    describe(directory, None, Beside(source.label_name, source.weight_name, group), None)


def read_description(directory: Path) -> Description:
    """What is said of the set; every file is as it was written.

    Raises:
        DataError: the description or a file is damaged.
    """
    path = directory / DESCRIPTION
    with opened(path) as (file, num_bytes):
        content = file.read(min(num_bytes, _MAX_DESCRIPTION_BYTES + 1))
    try:
        description = _parsed(strict_json.decode(content))
    except ValueError as error:
        raise DataError(f"it is damaged: {error}", where=str(path), hint=_AGAIN) from None
    total = sum(num_bytes for num_bytes, _ in description.files.values())
    done = 0
    for name, (num_bytes, digest) in description.files.items():
        with opened(directory / name) as (file, found):
            if found != num_bytes:
                state = "truncated" if found < num_bytes else "too long"
                message = f"it is {state}: expected {num_bytes:,} bytes, got {found:,}"
                raise DataError(message, where=str(directory / name), hint=_AGAIN)
            if _digest(file, done, total) != digest:
                message = "it is damaged: its sha256 is not what dataset.json says"
                raise DataError(message, where=str(directory / name), hint=_AGAIN)
        done += num_bytes
    return description


_AGAIN: Final = "convert the source again"


def _digest(file: BinaryIO, done: int = 0, total: int = 0) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        done += len(block)
        if total:
            tell_progress("bytes verified", done, total)
    return digest.hexdigest()


def _blocks(part: RawPart) -> Iterator[RawPart]:
    features = part.features
    assert isinstance(features, np.ndarray | FileRows)
    row_bytes = max(1, prod(features.shape[1:]) * features.dtype.itemsize)
    num_rows = max(1, _BLOCK_BYTES // row_bytes)
    for start in range(0, len(features), num_rows):
        rows = slice(start, start + num_rows)
        tell_progress("examples", min(start + num_rows, len(features)), len(features))
        yield dataclasses.replace(
            part,
            features=features[rows],
            labels=None if part.labels is None else part.labels[rows],
            weights=None if part.weights is None else part.weights[rows],
            groups=None if part.groups is None else part.groups[rows],
        )


def write_split(directory: Path, split: SplitName, blocks: Iterable[RawPart]) -> None:
    """The features of all blocks as ``x_train.npy``, and so what is beside them. Raises ``OSError``."""
    beside = BesideRecords()

    def features() -> Iterator[RawArray]:
        for block in blocks:
            beside.add(block)
            yield block.array

    _write_array(directory / f"x_{split}.npy", features())
    for kind, values in beside.arrays():
        _write_array(directory / f"{kind}_{split}.npy", values)


def _write_array(path: Path, blocks: Iterable[NDArray[Any]]) -> None:
    """Blocks of rows as one .npy file; how many there are is known at its end."""
    with path.open("xb") as file:
        file.write(bytes(_HEADER_BYTES))
        num_rows, first = 0, None
        for block in blocks:
            first = block if first is None else first
            assert (block.shape[1:], block.dtype) == (first.shape[1:], first.dtype), block.dtype
            dtype = block.dtype.newbyteorder("<")
            file.write(np.ascontiguousarray(block, dtype).reshape(-1).view(np.uint8).data)
            num_rows += len(block)
        assert first is not None, path
        file.seek(0)
        file.write(_header(first.dtype.newbyteorder("<"), (num_rows, *first.shape[1:])))
        file.flush()
        os.fsync(file.fileno())


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """NumPy's header, format 1.0, filled up with spaces to a length of its own."""
    text = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    length = _HEADER_BYTES - 10
    assert len(text) < length
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1) + b"\n"


def describe(
    directory: Path, columns: tuple[str, ...] | None, beside: Beside, coding: Coding | None
) -> None:
    """Write ``dataset.json`` of all that is in ``directory``. Raises ``OSError``."""
    files = {}
    for path in sorted(directory.iterdir()):
        with path.open("rb") as file:
            files[path.name] = {"bytes": path.stat().st_size, "sha256": _digest(file)}
    document: dict[str, Any] = {
        "version": _VERSION,
        "columns": None if columns is None else list(columns),
        "label": beside.label,
        "weight": beside.weight,
        "group": beside.group,
        "files": files,
    }
    if coding is not None:
        tokens = coding.tokens
        document["coding"] = {
            "texts": list(coding.texts),
            "gaps": coding.gaps,
            "tokens": None if tokens is None else {key: getattr(tokens, key) for key in _OF_TOKENS},
        }
    with (directory / DESCRIPTION).open("xb") as file:
        file.write(strict_json.encode(document))
        file.flush()
        os.fsync(file.fileno())


def _parsed(document: Any) -> Description:
    keys = {"version", "columns", "label", "weight", "group", "files"}
    is_object = isinstance(document, dict) and document.keys() - {"coding"} == keys
    strict_json.require(is_object, f"expected {keys}")
    strict_json.require(document["version"] == _VERSION, "it is of another version")
    columns, files = document["columns"], document["files"]
    are_names = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    strict_json.require(columns is None or are_names, "columns: expected null or names")
    for key in ("label", "weight", "group"):
        value = document[key]
        strict_json.require(value is None or isinstance(value, str), f"{key}: expected a name")
    strict_json.require(isinstance(files, dict) and bool(files), "files: expected some")
    found = {}
    for name, facts in files.items():
        match facts:
            case {"bytes": int(num_bytes), "sha256": str(digest)} if "/" not in name:
                found[name] = num_bytes, digest
            case _:
                raise ValueError("files: expected bytes and sha256 of names")
    beside = Beside(document["label"], document["weight"], document["group"])
    coding = _parsed_coding(document["coding"], columns or ()) if "coding" in document else None
    return Description(None if columns is None else tuple(columns), beside, found, coding)


def _parsed_coding(document: Any, columns: Sequence[str]) -> Coding:
    match document:
        case {"texts": list(texts), "gaps": bool(gaps), "tokens": tokens, **rest} if not rest:
            are_columns = all(isinstance(name, str) and name in columns for name in texts)
            strict_json.require(are_columns, "coding.texts: expected columns")
            if tokens is None:
                return Coding(tuple(texts), gaps, None)
            match tokens:
                case {
                    "level": "word" | "character" | "byte" as level,
                    "lowercase": bool(lowercase),
                    "length": int(length),
                    **more,
                } if not more and type(length) is int and 1 <= length <= _MAX_LENGTH:
                    is_one = tuple(texts) == tuple(columns) and len(columns) == 1
                    strict_json.require(is_one, "coding.tokens: expected one column of texts")
                    found = TokensSection(level=level, lowercase=lowercase, length=length)
                    return Coding(tuple(texts), gaps, found)
    raise ValueError("coding: expected texts, gaps and tokens")
