"""``metrics.jsonl``: one line of JSON per epoch, readable while the run goes on."""

from __future__ import annotations

import itertools
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bmtrain import strict_json
from bmtrain.durable import environment_faults, write_all
from bmtrain.errors import CheckpointError
from bmtrain.runs.plain_entries import open_plain

#: The one entry of a line in which equal runs may differ.
TIME = "time"
#: Ours have some hundred.
_MAX_LINE_BYTES = 2**16


class MetricsLog:
    """The log, open for appending; made if it is not there. A context manager.

    Raises:
        EnvironmentFault: from every method: it cannot be written.
        CheckpointError: it is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_plain(path, "open the metrics log")
        with environment_faults(path, "open the metrics log"):
            self._num_bytes = os.fstat(self._descriptor).st_size

    @property
    def num_bytes(self) -> int:
        """Its length; a checkpoint records it, and a resumed run truncates the log to it."""
        return self._num_bytes

    def append(self, record: Mapping[str, Any]) -> None:
        """Writes one line, whole or not at all; NaN and infinities become null."""
        line = json.dumps(finite(record), separators=(", ", ": "), allow_nan=False) + "\n"
        content = line.encode("ascii")
        with environment_faults(self.path, "write the metrics log"):
            try:
                write_all(self._descriptor, content)
            except OSError:
                with suppress(OSError):  # the first error counts; a resumed run truncates it
                    os.ftruncate(self._descriptor, self._num_bytes)  # no half line stays
                raise
        self._num_bytes += len(content)

    def flush(self) -> None:
        """Flushes it to the disk: before a checkpoint that records its length.

        Its name is flushed with that of the directory of checkpoints.
        """
        with environment_faults(self.path, "write the metrics log"):
            os.fsync(self._descriptor)

    def truncate(self, num_bytes: int) -> None:
        """Drops what was written after the first ``num_bytes`` bytes.

        Raises:
            CheckpointError: it is shorter than that: lines are lost.
        """
        if num_bytes > self._num_bytes:
            raise CheckpointError(
                f"it has {self._num_bytes} bytes, the checkpoint was made at {num_bytes}: "
                "lines are lost",
                where=str(self.path),
            )
        with environment_faults(self.path, "truncate the metrics log"):
            os.ftruncate(self._descriptor, num_bytes)
            os.fsync(self._descriptor)
        self._num_bytes = num_bytes

    def close(self) -> None:
        """Closes it; once is enough."""
        if (descriptor := self._descriptor) >= 0:
            self._descriptor = -1
            with environment_faults(self.path, "close the metrics log"):
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_epochs(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, one dict each; the first is epoch 1, and none is missing.

    Raises:
        CheckpointError: a line is damaged; it is named.
        EnvironmentFault: it cannot be read.
    """
    return list(epochs_in(path))


def epochs_in(path: Path, *, may_grow: bool = False) -> Iterator[dict[str, Any]]:
    """The same, one line after the other: a log may be longer than the memory.

    ``may_grow``: a last line that is not whole yet is left out.
    """
    action = "read the metrics log"
    with os.fdopen(open_plain(path, action, os.O_RDONLY), "rb") as file:
        for number in itertools.count(1):
            with environment_faults(path, action):
                line = file.readline(_MAX_LINE_BYTES + 1)
            if not line or (may_grow and not line.endswith(b"\n") and len(line) <= _MAX_LINE_BYTES):
                return
            yield _epoch(line, number, path)


def last_epoch(path: Path) -> dict[str, Any] | None:
    """The last whole line, read from the end; None where there is none yet.

    Raises:
        CheckpointError: it is damaged, or the log is no regular file.
        EnvironmentFault: it cannot be read.
    """
    action = "read the metrics log"
    descriptor = open_plain(path, action, os.O_RDONLY)
    try:
        with environment_faults(path, action):
            begin = max(os.fstat(descriptor).st_size - 2 * _MAX_LINE_BYTES, 0)
            content = os.pread(descriptor, 2 * _MAX_LINE_BYTES, begin)
    finally:
        os.close(descriptor)
    *whole, _being_written = content.split(b"\n")
    if not whole:
        return None
    return _epoch(whole[-1], None, path)


def _epoch(line: bytes, number: int | None, path: Path) -> dict[str, Any]:
    try:
        strict_json.require(len(line) <= _MAX_LINE_BYTES, f"over {_MAX_LINE_BYTES:,} bytes")
        entry = strict_json.decode(line)
        strict_json.require(_is_epoch(entry), "not the figures of an epoch")
        if number is not None:
            strict_json.require(entry["epoch"] == number, f"expected epoch {number}")
    except ValueError as error:
        which = "the last line" if number is None else f"line {number}"
        raise CheckpointError(
            f"{which} is damaged: {error}", where=str(path), hint="start a new run"
        ) from None
    assert isinstance(entry, dict)
    return entry


def _is_epoch(entry: Any) -> bool:
    """Whether it has what is relied upon when a log is read."""
    return (
        isinstance(entry, dict)
        and type(entry.get("epoch")) is int
        and is_figures(entry.get("train"))
        and is_figures(entry.get("validation", {}))
        and isinstance(time := entry.get(TIME), dict)
        and is_figures({"epoch_s": time.get("epoch_s")})
        and time.get("epoch_s") is not None
    )


def is_figures(value: Any) -> bool:
    """Whether it is figures by name: numbers that a float can hold, or null."""
    return isinstance(value, dict) and all(
        figure is None or (type(figure) in {int, float} and abs(figure) <= sys.float_info.max)
        for figure in value.values()
    )


def finite(value: Any) -> Any:
    """The value with every NaN and infinity in it replaced by None: JSON has neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return value
