"""Permutation importance: what a figure loses when a column tells nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.explanations.parts import Columns


@dataclass(frozen=True, slots=True)
class Importances:
    """Of each column.

    Attributes:
        value: the figure on the examples as they are.
        drops: float64 (columns, repeats): how much worse the figure becomes.
    """

    value: float
    drops: NDArray[np.float64]

    @property
    def means(self) -> NDArray[np.float64]:
        """(columns,): the importance."""
        return np.asarray(self.drops.mean(axis=1))

    @property
    def deviations(self) -> NDArray[np.float64]:
        """(columns,): the standard deviation over the repeats, divided by their number."""
        return np.asarray(self.drops.std(axis=1))


def seeded_permutations(num_examples: int, num_repeats: int, seed: int) -> list[NDArray[np.int64]]:
    """Orders of the examples: a function of the arguments, the same for every column."""
    random = np.random.default_rng(seed)
    return [random.permutation(num_examples) for _ in range(num_repeats)]


def permutation_importance(
    figure: Callable[[NDArray[Any]], float],
    features: NDArray[Any],
    columns: Columns,
    permutations: Sequence[NDArray[np.int64]],
    *,
    higher_is_better: bool,
) -> Importances:
    """The figure with each column's values dealt out anew, against the figure without.

    Breiman (2001), section 10; scikit-learn's ``permutation_importance``. The inputs of one
    column move together: what is permuted is the column, not what it was encoded as.

    Args:
        figure: of features (examples, inputs).
        permutations: int64 (examples,) each; a repeat for each.
    """
    value = figure(features)
    sign = 1.0 if higher_is_better else -1.0
    drops = np.zeros((len(columns.names), len(permutations)))
    for column in range(len(columns.names)):
        inputs = columns.inputs(column)
        permuted = features.copy()
        for repeat, order in enumerate(permutations):
            permuted[:, inputs] = features[np.ix_(order, inputs)]
            drops[column, repeat] = sign * (value - figure(permuted))
    return Importances(value, drops)
