"""``log.txt``: everything the run said, next to what the native libraries said."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bmtrain.durable import environment_faults, write_all
from bmtrain.runs.plain_entries import open_plain


class RunLog:
    """Lines with their UTC time, appended; a context manager.

    Raises:
        EnvironmentFault: it cannot be opened or written.
        CheckpointError: it is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = open_plain(path, "open the log")

    def write(self, text: str) -> None:
        """Append ``text`` under the present time."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with environment_faults(self.path, "write the log"):
            write_all(self._descriptor, f"{now} {text}\n".encode(errors="backslashreplace"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with environment_faults(self.path, "close the log"):
            os.close(self._descriptor)
