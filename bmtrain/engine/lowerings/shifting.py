"""What all windows have at one place of theirs, as one shifted slice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import tensorflow as tf

from bmtrain.models.shapes.windows import windows


def shifted(
    inputs: tf.Tensor,
    axes: Sequence[tuple[int, int, int]],
    padding: Literal["valid", "same", "causal"],
    *,
    outside: float = 0.0,
) -> tuple[list[tf.Tensor], list[int]]:
    """For each place in a window what all windows have there, and how many windows there are.

    Args:
        inputs: (batch, *lengths, channels).
        axes: of each length the windows' size, stride and dilation.
        outside: what is around the inputs.
    """
    lengths = inputs.shape[1:-1]
    placed = [
        windows(n, size, by, padding, d) for n, (size, by, d) in zip(lengths, axes, strict=True)
    ]
    around = [[one.before, one.after] for one in placed]
    padded = tf.pad(inputs, [[0, 0], *around, [0, 0]], constant_values=outside)
    slices = []
    for place in product(*(range(size) for size, _, _ in axes)):
        at_place = [
            slice(at * d, at * d + (one.count - 1) * by + 1, by)
            for at, one, (_, by, d) in zip(place, placed, axes, strict=True)
        ]
        slices.append(padded[:, *at_place])
    return slices, [one.count for one in placed]
