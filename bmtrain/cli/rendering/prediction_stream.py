"""What the command line takes of the workflow's predictions, without importing NumPy for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Predictions(Protocol):
    """What the workflow predicts of n examples."""

    @property
    def outputs(self) -> NDArray[np.float32]:
        """(n, k): a probability per class, or that of the second of two; regression: outputs."""
        ...

    @property
    def predicted(self) -> NDArray[Any]:
        """(n,): class numbers; regression: not looked at."""
        ...

    @property
    def files(self) -> Sequence[Path] | None:
        """(n,): of pictures; None: all are of the block's file."""
        ...


class PredictionStream(Protocol):
    """Predictions as the workflow makes them."""

    @property
    def class_names(self) -> Sequence[str] | None:
        """One per class; None: regression."""
        ...

    @property
    def label_name(self) -> str | None:
        """The table's column that is predicted; None: of arrays."""
        ...

    @property
    def num_outputs(self) -> int:
        """Of a regression: figures per example."""
        ...

    @property
    def skipped(self) -> Sequence[str]:
        """What to say of the checkpoints that were passed over."""
        ...

    @property
    def sources(self) -> Sequence[Path]:
        """The files that are read."""
        ...

    @property
    def tells_files(self) -> bool:
        """Whether each example is told with its file, though it be the only one."""
        ...

    @property
    def unseen(self) -> Mapping[str, int]:
        """Per column the cells so far whose category training never saw."""
        ...

    @property
    def blocks(self) -> Iterator[tuple[Path, Predictions]]:
        """A file and the predictions of some of its examples."""
        ...
