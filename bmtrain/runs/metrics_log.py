"""``metrics.jsonl``: one line of JSON per epoch, readable while the run goes on."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bmtrain import strict_json
from bmtrain.durable import environment_faults, write_all
from bmtrain.errors import CheckpointError

#: The one entry of a line in which equal runs may differ.
TIME = "time"


class MetricsLog:
    """The log, open for appending; made if it is not there. A context manager.

    Raises:
        EnvironmentFault: from every method: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with environment_faults(path, "open the metrics log"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(path, flags, 0o666)
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
                os.ftruncate(self._descriptor, self._num_bytes)  # no half line stays
                raise
        self._num_bytes += len(content)

    def flush(self) -> None:
        """Flushes it to the disk: before a checkpoint that records its length."""
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
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

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
    """The lines of a log, one dict each.

    Raises:
        CheckpointError: a line is damaged; it is named.
        EnvironmentFault: it cannot be read.
    """
    with environment_faults(path, "read the metrics log"):
        lines = path.read_bytes().splitlines()
    epochs = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = strict_json.decode(line)
            strict_json.require(_is_epoch(entry), "not the figures of an epoch")
        except ValueError as error:
            raise CheckpointError(
                f"line {number} is damaged: {error}", where=str(path), hint="start a new run"
            ) from None
        epochs.append(entry)
    return epochs


def _is_epoch(entry: Any) -> bool:
    """Whether it has what is relied upon when a log is read."""
    return (
        isinstance(entry, dict)
        and type(entry.get("epoch")) is int
        and isinstance(entry.get("train"), dict)
        and isinstance(time := entry.get(TIME), dict)
        and type(time.get("epoch_s")) in {int, float}
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
