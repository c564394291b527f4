"""Scaling of the inputs, fitted on the training split, the same everywhere afterwards.

The statistics are data: they travel in the checkpoint. Applying them is the
business of ``bmtrain.models.preprocessing`` (inside the compiled step).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import DataFacts


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """x ↦ (float32(x) − offset) · scale, and the facts of the data it was fitted on.

    ``offset`` and ``scale`` are float32, of shape () or of ``facts.input_shape``;
    identity is offset 0 and scale 1.
    """

    facts: DataFacts
    normalize: str  # "unit" | "standardize" | "none", resolved
    offset: NDArray[np.float32]
    scale: NDArray[np.float32]
