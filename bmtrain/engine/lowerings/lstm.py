"""Long short-term memory, with a gradient of its own.

With z = x·W + h·U + b, of each step, (i, f, g, o) = (σ(z₁), σ(z₂), tanh(z₃), σ(z₄)),
c ← f ∘ c + i ∘ g and h ← o ∘ tanh(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from bmtrain.engine.lowerings.recurrent import (
    before,
    of_kernel,
    side_by_side,
    through_steps,
    times,
    to_fill,
)
from bmtrain.models.initial_weights import Place


class _Steps(NamedTuple):
    """What the steps left of a part of the batch, each (steps, rows, features).

    Attributes:
        gates: i, f, g, o side by side.
        cells: c behind each step.
        outputs: h behind each step.
    """

    gates: tf.Tensor
    cells: tf.Tensor
    outputs: tf.Tensor


class _Factors(NamedTuple):
    """What the gradient of a part of the batch does not wait for, each (steps, rows, features).

    Attributes:
        kept: (steps, rows, 1), False where a step is left out; None: none is.
        upstream: ∂J/∂h from above.
        to_cell: o ∘ (1 − tanh²c).
        keep: f.
    """

    kept: tf.Tensor | None
    upstream: tf.Tensor
    to_cell: tf.Tensor
    keep: tf.Tensor


def is_plain_lstm(layer: keras.layers.LSTM, inputs: tf.Tensor) -> bool:
    """Whether it is the one of the formula above, in float32."""
    del inputs
    return (
        layer.compute_dtype == "float32"
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
    )


def lstm(
    layer: keras.layers.LSTM,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The layer's outputs, see ``through_steps``."""
    del seed, position, step  # nothing is random
    recurrent = tf.convert_to_tensor(layer.cell.recurrent_kernel.value)
    bias = tf.convert_to_tensor(layer.cell.bias.value) if layer.cell.use_bias else None

    def hidden(
        kernel: tf.Tensor, parts: list[tf.Tensor], kept: list[tf.Tensor | None]
    ) -> list[tf.Tensor]:
        return _hidden(kernel, recurrent, parts, kept)

    return through_steps(layer, inputs, mask, bias, hidden)


def _hidden(
    kernel: tf.Tensor, recurrent: tf.Tensor, parts: list[tf.Tensor], kept: list[tf.Tensor | None]
) -> list[tf.Tensor]:
    @tf.custom_gradient
    def hidden(
        kernel: tf.Tensor, recurrent: tf.Tensor, *parts: tf.Tensor
    ) -> tuple[list[tf.Tensor], Any]:
        done = _forwards([times(part, kernel) for part in parts], recurrent, kept)

        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            d_gates = _backwards(done, upstream, recurrent, kept)
            # One product gives the gradients of W, b and U, one below the other.
            seen = [
                tf.concat([part, before(steps.outputs)], axis=-1)
                for part, steps in zip(parts, done, strict=True)
            ]
            of_both = tf.add_n(list(map(of_kernel, seen, d_gates)))
            d_kernel, d_recurrent = tf.split(of_both, [kernel.shape[0], recurrent.shape[0]])
            turned = tf.transpose(kernel)
            return d_kernel, d_recurrent, *(times(gates, turned) for gates in d_gates)

        return [steps.outputs for steps in done], gradient

    return list(hidden(kernel, recurrent, *parts))


def _forwards(
    projected: list[tf.Tensor], recurrent: tf.Tensor, kept: list[tf.Tensor | None]
) -> list[_Steps]:
    """Through the steps, from h = c = 0; ``projected`` is x·W + b."""
    num_steps, _, width = projected[0].shape
    units = width // 4
    # σ(z) = ½ + ½·tanh(z/2): one function for all four.
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), units)

    def advance(step: tf.Tensor, kept: tf.Tensor | None, state: Any) -> Any:
        output, cell, history = state
        gates = history.gates.read(step) + tf.matmul(output, recurrent)
        gates = tf.tanh(gates * scale) * scale + (1 - scale)
        i, f, g, o = tf.split(gates, 4, axis=-1)
        next_cell = f * cell + i * g
        next_output = o * tf.tanh(next_cell)
        if kept is not None:
            next_cell = tf.where(kept[step], next_cell, cell)
            next_output = tf.where(kept[step], next_output, output)
        rows = (gates, next_cell, next_output)
        written = (array.write(step, row) for array, row in zip(history, rows, strict=True))
        return next_output, next_cell, _Steps(*written)

    initial = []
    for gates in projected:
        # What the gates will be takes the place of what is projected.
        nothing = tf.zeros_like(gates[..., :units])
        history = _Steps(*map(to_fill, (gates, nothing, nothing)))
        initial.append((nothing[0], nothing[0], history))
    final = side_by_side(range(num_steps), advance, kept, initial)
    return [_Steps(*(array.stack() for array in history)) for _, _, history in final]


def _backwards(
    done: list[_Steps],
    upstream: Sequence[tf.Tensor],
    recurrent: tf.Tensor,
    kept: list[tf.Tensor | None],
) -> list[tf.Tensor]:
    """∂J/∂z of each step (steps, rows, 4·units), z being what the gates are functions of.

    With a = ∂J/∂h and e = ∂J/∂c, from the last step to the first:
    e ← e + a ∘ o ∘ (1 − tanh²c), ∂J/∂z = (e ∘ g ∘ i(1 − i), e ∘ c′ ∘ f(1 − f), e ∘ i ∘ (1 − g²),
    a ∘ tanh(c) ∘ o(1 − o)), then of the step before e ← e ∘ f, and a is the upstream gradient
    plus ∂J/∂z · Uᵀ. c′ is c of the step before.
    """
    turned = tf.transpose(recurrent)

    def advance(step: tf.Tensor, known: _Factors, state: Any) -> Any:
        # The product comes first: of each part a thread begins with it.
        behind, passed, d_cell, slopes = state
        d_output = tf.matmul(behind, turned) + known.upstream[step]
        if known.kept is not None:
            d_output += passed
            passed = tf.where(known.kept[step], tf.zeros_like(passed), d_output)
        d_cell += d_output * known.to_cell[step]
        d_gates = tf.concat([d_cell, d_cell, d_cell, d_output], axis=-1) * slopes.read(step)
        return d_gates, passed, d_cell * known.keep[step], slopes.write(step, d_gates)

    known, initial = [], []
    for steps, above, keeps in zip(done, upstream, kept, strict=True):
        slopes, factors = _factors(steps, above, keeps)
        known.append(factors)
        nothing = tf.zeros_like(above[0])
        initial.append((tf.zeros_like(slopes[0]), nothing, nothing, to_fill(slopes)))
    backwards = range(upstream[0].shape[0] - 1, -1, -1)
    return [d_gates.stack() for *_, d_gates in side_by_side(backwards, advance, known, initial)]


def _factors(
    steps: _Steps, upstream: tf.Tensor, kept: tf.Tensor | None
) -> tuple[tf.Tensor, _Factors]:
    """What (e, e, e, a) is multiplied by, and the others; a step left out has no part in either."""
    i, f, g, o = tf.split(steps.gates, 4, axis=-1)
    seen = tf.tanh(steps.cells)
    of_gates = [g * i * (1 - i), before(steps.cells) * f * (1 - f), i * (1 - g * g)]
    slopes = tf.concat([*of_gates, seen * o * (1 - o)], axis=-1)
    to_cell = o * (1 - seen * seen)
    if kept is not None:
        slopes = tf.where(kept, slopes, tf.zeros_like(slopes))
        to_cell = tf.where(kept, to_cell, tf.zeros_like(to_cell))
        f = tf.where(kept, f, tf.ones_like(f))
    return slopes, _Factors(kept, upstream, to_cell, f)
