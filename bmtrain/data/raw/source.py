"""What the readers of files hand on: splits as the files have them, not yet checked."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.coded_rows import CodedColumns, CodedTokens
from bmtrain.data.raw.coded_texts import Texts
from bmtrain.data.raw.columns import Column, RawColumns
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.wording.quoting import short
from bmtrain.errors import DataError
from bmtrain.regular_files import NotRegular, open_regular

#: Deflate cannot shrink data further, so a small file cannot hold more than this times its size.
MAX_DEFLATE_RATIO: Final = 1032

SplitName = Literal["train", "validation", "test"]

RawArray = NDArray[Any]
#: Numbers of any dtype and shape, or one text per example.
RawLabels = RawArray | Texts


@dataclass(frozen=True, slots=True)
class Place:
    """Where values come from, so that an error can name the file and the row.

    Attributes:
        name: a file, or a file and the array in it.
        line_of_row: for text files: the line of a row; rows count from 0, lines from 1.
        first_row: where the values are rows of a larger whole: the number of the first.
        files: one per row where each row is a file of its own.
    """

    name: str
    line_of_row: Callable[[int], int] | None = None
    first_row: int = 0
    files: Sequence[Path] | None = None

    def row(self, row: int) -> str:
        """The place of one row."""
        if self.files is not None:
            return str(self.files[row])
        if self.line_of_row is None:
            return f"{self.name}[{self.first_row + row}]"
        return f"{self.name}, line {self.line_of_row(row)}"


@dataclass(frozen=True, slots=True)
class RawPart:
    """One split: ``features`` (examples, ...), ``labels`` None where the file has none.

    ``features`` are columns where they are not inputs yet: see ``bmtrain.data.encodings.encoding``.
    Those that are to be streamed stay in their file.
    ``weights`` (examples,) and ``groups``, a text for each, are there where the config asks.
    """

    features: RawArray | FileRows | RawColumns | CodedColumns | CodedTokens
    labels: RawLabels | None
    features_at: Place
    labels_at: Place
    weights: RawArray | None = None
    weights_at: Place | None = None
    groups: Texts | None = None

    @property
    def array(self) -> RawArray:
        """The features where they are one array that is held."""
        assert isinstance(self.features, np.ndarray)
        return self.features


@dataclass(frozen=True, slots=True)
class Source:
    """All splits of one source; the columns are a table's features, None for arrays."""

    parts: Mapping[SplitName, RawPart]
    columns: tuple[Column, ...] | None = None
    label_name: str | None = None
    weight_name: str | None = None


def require_one_each(num_examples: int, num_values: int, where: str, what: str = "label") -> None:
    """DataError unless there is one label, or weight, per example.

    Readers ask it of what headers declare, before values are read: a few kilobytes can
    hold gigabytes of them.
    """
    if num_values != num_examples:
        raise DataError(
            f"expected one {what} per example: {_counted(num_examples, 'example')}, "
            f"{_counted(num_values, what)}",
            where=where,
        )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


@dataclass(frozen=True, slots=True)
class HeldFile:
    """The bytes of a file, or of a part of one, under the name that errors tell."""

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


@contextmanager
def opened(path: Path | HeldFile) -> Iterator[tuple[BufferedReader, int]]:
    """``path``, open for reading, and its size in bytes; DataError unless it is a file of some bytes.

    A link to a file will do: people keep their data where there is room.
    """
    if isinstance(path, HeldFile):
        yield BufferedReader(BytesIO(path.content)), len(path.content)
        return
    with reading(path):
        descriptor = open_regular(path, links=True)
    with os.fdopen(descriptor, "rb") as file:
        num_bytes = os.fstat(descriptor).st_size
        if num_bytes == 0:
            raise DataError("the file is empty", where=str(path))
        yield file, num_bytes


def names_in(directory: Path) -> list[str]:
    """The names in ``directory``, sorted; DataError if it cannot be listed."""
    with reading(directory):
        return sorted(entry.name for entry in directory.iterdir())


@contextmanager
def reading(path: Path | HeldFile) -> Iterator[None]:
    """Turn what the system and the decompressors say about ``path`` into a DataError."""
    where = str(path)
    try:
        yield
    except NotRegular:
        raise DataError("expected a file, and this is none", where=where) from None
    except FileNotFoundError as error:
        raise DataError("there is no such file or directory", where=where) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"the compressed data is damaged: {error}", where=where) from error
    except EOFError as error:
        raise DataError("the file is truncated: its data ends early", where=where) from error
    except zipfile.BadZipFile as error:
        # It quotes the name before a member, up to 64 kB of anything.
        message = f"this is not an intact zip archive: {short(str(error))}"
        raise DataError(message, where=where) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"cannot be read: {reason}", where=where) from error
