"""Whether examples are held in memory, or stay in their file and are streamed from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import StorageKind
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.machine import available_memory

#: Features that would take a larger share of the available memory than this are streamed.
STREAM_SHARE: Final = 0.25


class Extract(Protocol):
    """Keeps the rows of an array that its file has not as they are."""

    def __call__(
        self,
        path: Path,
        member: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        blocks: Callable[[], Iterable[NDArray[Any]]],
    ) -> FileRows:
        """``blocks`` makes the rows of the array ``member`` of ``path``, in their order.

        EnvironmentFault where there is no room for them.
        """


def _bound() -> int:
    return int(STREAM_SHARE * available_memory())


@dataclass(frozen=True, slots=True)
class Storage:
    """What ``data.storage`` says; ``bound`` are the bytes up to which ``auto`` holds features.

    ``any_order``: also arrays in Fortran's order, to be copied, not to be streamed. ``extract``:
    keeps what is compressed in a file of its own, to be read from there; None: it is held.
    """

    wanted: StorageKind = "auto"
    bound: int = field(default_factory=_bound)
    any_order: bool = False
    extract: Extract | None = None

    def streams(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
        """Whether features that a file has in this shape and dtype stay there."""
        if self.wanted != "auto":
            return self.wanted == "stream"
        is_byte = dtype.kind == "b" or dtype == np.uint8
        return prod(shape) * (1 if is_byte else 4) > self.bound  # else they become float32

    def streams_files(self, files: Iterable[Path]) -> bool:
        """Whether the features of text files do: about as many bytes as the files have."""
        if self.wanted != "auto":
            return self.wanted == "stream"
        return sum(file.stat().st_size for file in files if file.exists()) > self.bound


#: Of what is read to be held: labels, small files.
RESIDENT: Final = Storage("resident", 0)
