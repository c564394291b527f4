"""Whether an export computes what its checkpoint does. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Outputs = NDArray[np.float32]

#: Of an output's size. Kernels that add in another order differ by 1e-7 to 1e-5, a mistake by more.
TOLERANCE: Final = 1e-4
#: The first batch is one example: a batch size that went into the export would show.
_BATCHES: Final = (1, 256)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far outputs are from those of the checkpoint.

    Attributes:
        largest: max |a − b|; infinite where only one of both is finite, or the shapes differ.
        relative: max |a − b| / size: of a probability 1, else the largest |b| of the same output.
    """

    largest: float
    relative: float


def compare(outputs: Outputs, reference: Outputs, *, are_probabilities: bool) -> Comparison:
    """Compare outputs (examples, outputs) with those of the checkpoint."""
    if outputs.shape != reference.shape or outputs.dtype != reference.dtype:
        return Comparison(float("inf"), float("inf"))
    both = np.stack([outputs, reference]).astype(np.float64)
    is_equal = (both[0] == both[1]) | np.isnan(both).all(axis=0)
    with np.errstate(invalid="ignore"):  # inf − inf, which is equal
        distances = np.where(is_equal, 0.0, np.abs(both[0] - both[1]))
    distances = np.where(np.isnan(distances), np.inf, distances)
    sizes = np.ones(reference.shape[1:])
    if not are_probabilities:
        finite = np.where(np.isfinite(both[1]), np.abs(both[1]), 0.0)
        largest = finite.max(axis=0)
        sizes = np.where(largest > 0, largest, 1.0)
    return Comparison(float(distances.max()), float((distances / sizes).max()))


def outputs_of(
    run: Callable[[NDArray[np.generic]], Outputs], features: NDArray[np.generic]
) -> Outputs:
    """Outputs for all features, in batches of different sizes."""
    first, others = _BATCHES
    starts = [0, *range(first, len(features), others)]
    ends = [*starts[1:], len(features)]
    return np.concatenate(
        [run(features[start:end]) for start, end in zip(starts, ends, strict=True)]
    )
