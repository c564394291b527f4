"""Random orders as pure functions of named numbers: no state to save, none to seed."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# One stream per purpose: equal seeds in different places give independent orders.
EPOCH_STREAM: Final = 0
TEST_STREAM: Final = 1
VALIDATION_STREAM: Final = 2
SUBSET_STREAM: Final = 3
FOLD_STREAM: Final = 4


def epoch_order(num_examples: int, *, seed: int, epoch: int) -> NDArray[np.int32]:
    """The order of the training examples in ``epoch``: a permutation of 0 … num_examples − 1.

    A pure function of its arguments, the same under every NumPy version.

    Args:
        num_examples: 1 ≤ num_examples < 2**31.
        seed: of the experiment, 0 ≤ seed < 2**32.
        epoch: 0 ≤ epoch < 2**32.
    """
    return random_order(num_examples, seed=seed, stream=EPOCH_STREAM, index=epoch)


def random_order(num_examples: int, *, seed: int, stream: int, index: int = 0) -> NDArray[np.int32]:
    """A permutation drawn by Philox under the key (seed, stream·2³² + index).

    Each position gets 32 random bits; sorting by them is the permutation. Philox's
    raw bits are stable between NumPy versions, ``Generator.permutation`` is not.
    """
    philox = np.random.Philox(key=np.array([seed, (stream << 32) + index], np.uint64))
    # Random bits above, position below: one plain sort, and ties break by position.
    keys = philox.random_raw(num_examples) & np.uint64(0xFFFFFFFF_00000000)
    keys |= np.arange(num_examples, dtype=np.uint64)
    keys.sort()
    return (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
