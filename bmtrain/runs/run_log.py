"""``log.txt``: everything the run said, next to what the native libraries said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bmtrain.durable import environment_faults


class RunLog:
    """Lines with their UTC time, appended; a context manager.

    Raises:
        EnvironmentFault: it cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with environment_faults(path, "open the log"):
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def write(self, text: str) -> None:
        """Append ``text`` under the present time."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with environment_faults(self.path, "write the log"):
            self._file.write(f"{now} {text}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with environment_faults(self.path, "close the log"):
            self._file.close()
