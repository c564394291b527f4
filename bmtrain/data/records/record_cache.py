"""The cache of examples that took work to read: one .npy file of records of one shape each.

A file is called by its key and the sha256 of its content, so that it appears whole and with its
checksum, in one rename; what is damaged is deleted and made again. Without room, or a directory
that can be written to, the records are made in memory: the cache costs and saves time only.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import reading
from bmtrain.durable import environment_faults, flush_directory
from bmtrain.errors import DataError
from bmtrain.machine import is_alive

Records = NDArray[np.generic]

#: What is kept when something is added; the file that is added always is.
MAX_BYTES: Final = 10 * 2**30
#: What a file must leave free on its disk.
MIN_FREE_BYTES: Final = 2**30
_WRITING: Final = "writing"
_SUFFIX: Final = ".npy"
_EXTRACTED: Final = "extracted 1"


def cached_records(
    key: str,
    shape: tuple[int, ...],
    dtype: str,
    blocks: Callable[[], Iterable[Records]],
) -> Records | FileRows:
    """The records of ``key``: in the cache's file, else an array.

    Args:
        key: hex; of everything that decides what the records are.
        shape: (records, ...); at least one.
        dtype: NumPy's name.
        blocks: makes the records, (rows, ...) at a time, in their order; what it raises comes out.
    """
    directory = cache_directory()
    if directory is not None:
        with suppress(OSError):
            found = _find(directory, key, shape, dtype)
            return _written(directory, key, shape, dtype, blocks) if found is None else found
    return _in_memory(shape, dtype, blocks)


def extracted_rows(
    path: Path,
    member: str,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    blocks: Callable[[], Iterable[Records]],
) -> FileRows:
    """The array ``member`` of a compressed file, in a file of the cache: see ``Extract``.

    Raises:
        DataError: what ``blocks`` raises; or there is no cache.
        EnvironmentFault: it cannot be written, or there is no room in it.
    """
    directory = cache_directory()
    if directory is None:
        raise DataError(
            "it is compressed: to be streamed it must be extracted, and there is no cache",
            where=str(path),
            hint="set XDG_CACHE_HOME to a directory that can be written to, or extract it yourself",
        )
    with reading(path):
        facts = path.stat()
    stamp = (str(path.resolve()), facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    key = hashlib.sha256(repr((_EXTRACTED, stamp, member, shape, dtype.str)).encode()).hexdigest()
    with environment_faults(directory, "write"):
        found = _find(directory, key, shape, dtype.name)
        return found or _written(directory, key, shape, dtype.name, blocks)


def write_records(
    file: BinaryIO, shape: tuple[int, ...], dtype: str, blocks: Iterable[Records]
) -> str:
    """Write records as .npy; the sha256 of all that was written, hex. Raises ``OSError``."""
    digest = hashlib.sha256()
    sink: Any = _Hashed(file, digest.update)
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(sink, header)
    num_rows = 0
    for block in blocks:
        assert block.shape[1:] == shape[1:], block.shape
        sink.write(np.ascontiguousarray(block, dtype).data)
        num_rows += len(block)
    assert num_rows == shape[0], (num_rows, shape)
    return digest.hexdigest()


class _Hashed:
    """A file that tells what is written to it."""

    def __init__(self, file: BinaryIO, tell: Callable[[bytes | memoryview], None]) -> None:
        self._file = file
        self._tell = tell

    def write(self, content: bytes | memoryview) -> None:
        self._file.write(content)
        self._tell(content)


def cache_directory() -> Path | None:
    """Private to the user; None: there is no cache."""
    if os.environ.get("BMTRAIN_DATA_CACHE") == "0":
        return None
    base = os.environ.get("XDG_CACHE_HOME")
    with suppress(OSError, RuntimeError):  # no home
        directory = (Path(base) if base else Path.home() / ".cache") / "bmtrain" / "data"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        return directory
    return None


def _find(directory: Path, key: str, shape: tuple[int, ...], dtype: str) -> FileRows | None:
    """What is there and whole; a file that is not is deleted."""
    for path in sorted(directory.glob(f"{key}.*{_SUFFIX}")):
        with suppress(FileNotFoundError), path.open("rb") as file:  # another process pruned it
            if hashlib.file_digest(file, "sha256").hexdigest() != path.name.split(".")[1]:
                path.unlink()
                continue
            with suppress(OSError):
                os.utime(path)  # those that were not used for longest are pruned first
            return _rows(file, path, shape, dtype)
    return None


def _rows(file: BinaryIO, path: Path, shape: tuple[int, ...], dtype: str) -> FileRows:
    """The content whose checksum was right: the same open file, whatever its name is now."""
    file.seek(0)
    np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0(file)
    assert header == (shape, False, np.dtype(dtype)), header  # the key decides them
    return FileRows.of(file.fileno(), str(path), np.dtype(dtype), shape, file.tell())


def _written(
    directory: Path,
    key: str,
    shape: tuple[int, ...],
    dtype: str,
    blocks: Callable[[], Iterable[Records]],
) -> FileRows:
    """Raises ``OSError`` where they cannot be kept."""
    _remove_abandoned(directory)
    num_bytes = prod(shape) * np.dtype(dtype).itemsize
    if shutil.disk_usage(directory).free < num_bytes + MIN_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    temporary = directory / f"{_WRITING}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        with temporary.open("xb+") as file:
            temporary.chmod(0o600)
            digest = write_records(file, shape, dtype, blocks())
            file.flush()
            os.fsync(file.fileno())
            path = directory / f"{key}.{digest}{_SUFFIX}"
            temporary.replace(path)
            flush_directory(directory)
            _prune(directory, keep=path)
            return _rows(file, path, shape, dtype)
    finally:
        temporary.unlink(missing_ok=True)


def _in_memory(
    shape: tuple[int, ...], dtype: str, blocks: Callable[[], Iterable[Records]]
) -> Records:
    records: Records = np.empty(shape, dtype)
    start = 0
    for block in blocks():
        records[start : start + len(block)] = block
        start += len(block)
    assert start == len(records), (start, shape)
    return records


def _prune(directory: Path, *, keep: Path) -> None:
    """Those that were not used for longest first, down to MAX_BYTES."""
    files = []
    for file in directory.glob(f"*{_SUFFIX}"):
        with suppress(FileNotFoundError):  # another process has just deleted it
            files.append((file.stat().st_mtime, file.stat().st_size, file))
    excess = sum(size for _, size, _ in files) - MAX_BYTES
    for _, size, file in sorted(files):
        if excess > 0 and file != keep:
            file.unlink(missing_ok=True)
            excess -= size


def _remove_abandoned(directory: Path) -> None:
    """What processes that were killed have left half written."""
    for path in directory.glob(f"{_WRITING}-*-*"):
        process = path.name.split("-")[1]
        if process.isdigit() and not is_alive(int(process)):
            path.unlink(missing_ok=True)
