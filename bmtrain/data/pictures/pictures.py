"""Pictures as records: many files decoded by a few threads, once, into the cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import reading
from bmtrain.data.records.record_cache import cached_records
from bmtrain.errors import DataError
from bmtrain.machine import num_processors
from bmtrain.progress import tell_progress

#: Pictures that are handed to the threads at a time.
_NUM_ROWS: Final = 256
#: More of them wait for the disk, and each holds a whole picture.
_MAX_THREADS: Final = 4
#: Of those that cannot be read.
_MAX_NAMED: Final = 5
#: Of the records: another one makes other bytes of the same pictures.
_VERSION: Final = 1


def picture_records(
    files: Sequence[Path], encoding: ImageEncoding
) -> NDArray[np.generic] | FileRows:
    """The pictures (files, height, width, channels), from the cache if they are unchanged.

    Raises:
        DataError: at the first that cannot be read, with how many there are.
    """
    return cached_records(
        _key(files, encoding),
        (len(files), *encoding.input_shape),
        encoding.input_dtype,
        lambda: _blocks(files, encoding),
    )


def decoded_pictures(files: Sequence[Path], encoding: ImageEncoding) -> NDArray[np.uint8]:
    """The same, decoded now. Raises as there."""
    return np.concatenate(list(_blocks(files, encoding)))


def _key(files: Sequence[Path], encoding: ImageEncoding) -> str:
    """Of paths, sizes and times of change, how they are made into records, and by which Pillow."""
    import PIL

    how = {"version": _VERSION, "pillow": PIL.__version__} | encoding.as_json() | {"column": None}
    digest = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    flaws = _Flaws()
    for file in files:
        with flaws.gathered(), reading(file):
            facts = file.stat()
            stamp = (str(file.absolute()), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            digest.update(repr(stamp).encode())
    flaws.raise_first()
    return digest.hexdigest()


def _blocks(files: Sequence[Path], encoding: ImageEncoding) -> Iterator[NDArray[np.uint8]]:
    """All are looked at, so that it is known how many cannot be read."""
    from bmtrain.data.pictures.picture_decoding import decode_file, pillow_quiet

    flaws = _Flaws()

    def decode(file: Path) -> NDArray[np.uint8] | DataError:
        try:
            return decode_file(file, encoding)
        except DataError as error:
            return error

    with pillow_quiet(), ThreadPoolExecutor(min(_MAX_THREADS, num_processors())) as threads:
        for start in range(0, len(files), _NUM_ROWS):
            tell_progress("pictures", start, len(files))
            rows = list(threads.map(decode, files[start : start + _NUM_ROWS]))
            flaws.add(*(row for row in rows if isinstance(row, DataError)))
            if not flaws:
                yield np.stack([row for row in rows if not isinstance(row, DataError)])
    flaws.raise_first()


class _Flaws:
    """What is wrong with some of the pictures."""

    def __init__(self) -> None:
        self._first: DataError | None = None
        self._others: list[str] = []
        self._number = 0

    def __bool__(self) -> bool:
        return self._first is not None

    def add(self, *errors: DataError) -> None:
        for error in errors:
            if self._first is None:
                self._first = error
            elif len(self._others) < _MAX_NAMED:
                self._others.append(str(error.where))
            self._number += 1

    @contextmanager
    def gathered(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            self.add(error)

    def raise_first(self) -> None:
        """DataError if there is one, and how many there are."""
        if self._first is None:
            return
        if self._number > 1:
            self._first.message += f" (the first of {self._number:,} pictures that cannot be read)"
            others = ", ".join(self._others) + (", …" if self._number > 1 + _MAX_NAMED else "")
            self._first.hint = f"replace them or take them away; the others: {others}"
        raise self._first
