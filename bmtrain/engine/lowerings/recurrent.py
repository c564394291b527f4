"""Long short-term memory as XLA is fast at it on a processor, with a gradient of its own.

With z = x·W + h·U + b, of each step, (i, f, g, o) = (σ(z₁), σ(z₂), tanh(z₃), σ(z₄)),
c ← f ∘ c + i ∘ g and h ← o ∘ tanh(c) (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

Keras multiplies by W, and adds up the gradients of W, U and b, in each step, where the products
are small. Here they are one product over all steps each, and the loops hold what has to wait for
the step before. They go through two halves of the batch side by side: XLA gives each a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from bmtrain.models.initial_weights import Place

#: Of how many examples on a batch goes in two halves.
_MIN_BATCH: Final = 16


class _Half(NamedTuple):
    """What the steps left of a part of the batch, each (steps, rows, features).

    Attributes:
        gates: i, f, g, o side by side.
        cells: c behind each step.
        outputs: h behind each step.
    """

    gates: tf.Tensor
    cells: tf.Tensor
    outputs: tf.Tensor


def is_plain_lstm(layer: keras.layers.LSTM, inputs: tf.Tensor) -> bool:
    """Whether it is the one of the formula above, in float32."""
    del inputs
    return (
        layer.compute_dtype == "float32"
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
    )


def is_plain_bidirectional(layer: keras.layers.Bidirectional, inputs: tf.Tensor) -> bool:
    """Whether both directions are."""
    return all(
        isinstance(one, keras.layers.LSTM) and is_plain_lstm(one, inputs)
        for one in (layer.forward_layer, layer.backward_layer)
    )


def bidirectional_lstm(
    layer: keras.layers.Bidirectional,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """What both directions give, merged."""
    one, other = (
        lstm(direction, inputs, seed, position, step, mask)
        for direction in (layer.forward_layer, layer.backward_layer)
    )
    if layer.return_sequences:
        other = tf.reverse(other, [1])
    match layer.merge_mode:
        case "concat":
            return tf.concat([one, other], axis=-1)
        case "sum":
            return one + other
        case "ave":
            return (one + other) / 2
        case _:
            return one * other


def lstm(
    layer: keras.layers.LSTM,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The last step's h (batch, units), or each one's (batch, steps, units).

    Args:
        inputs: (batch, steps, features).
        mask: (batch, steps): a step where it is False leaves h and c as they are.
    """
    del seed, position, step  # nothing is random
    if layer.go_backwards:
        inputs = tf.reverse(inputs, [1])
        mask = None if mask is None else tf.reverse(mask, [1])
    kernel = tf.convert_to_tensor(layer.cell.kernel.value)
    by_step = tf.transpose(inputs, (1, 0, 2))
    if layer.cell.use_bias:
        kernel = tf.concat([kernel, layer.cell.bias.value[tf.newaxis]], axis=0)
        by_step = tf.concat([by_step, tf.ones_like(by_step[..., :1])], axis=-1)
    parts = 1 if (batch := inputs.shape[0]) is None or batch < _MIN_BATCH or batch % 2 else 2
    kept = [None] * parts
    if mask is not None:
        kept = tf.split(tf.transpose(mask)[..., tf.newaxis], parts, axis=1)
    recurrent = tf.convert_to_tensor(layer.cell.recurrent_kernel.value)
    halves = _hidden(kernel, recurrent, tf.split(by_step, parts, axis=1), kept)
    outputs = tf.concat(halves, axis=1)
    if not layer.return_sequences:
        return outputs[-1]
    outputs = tf.transpose(outputs, (1, 0, 2))
    if mask is None or not layer.zero_output_for_mask:  # as Bidirectional has it
        return outputs
    return tf.where(mask[..., tf.newaxis], outputs, tf.zeros_like(outputs))


def _hidden(
    kernel: tf.Tensor, recurrent: tf.Tensor, parts: list[tf.Tensor], kept: list[tf.Tensor | None]
) -> list[tf.Tensor]:
    """Each step's h (steps, rows, units), of each part (steps, rows, features) of a batch."""

    @tf.custom_gradient
    def hidden(
        kernel: tf.Tensor, recurrent: tf.Tensor, *parts: tf.Tensor
    ) -> tuple[list[tf.Tensor], Any]:
        halves = _forwards([_times(part, kernel) for part in parts], recurrent, kept)

        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            d_gates = _backwards(halves, upstream, recurrent, kept)
            of_kernels = tf.add_n(list(map(_of_kernels, parts, halves, d_gates)))
            d_kernel, d_recurrent = tf.split(of_kernels, [kernel.shape[0], recurrent.shape[0]])
            turned = tf.transpose(kernel)
            return d_kernel, d_recurrent, *(_times(gates, turned) for gates in d_gates)

        return [half.outputs for half in halves], gradient

    return list(hidden(kernel, recurrent, *parts))


def _forwards(
    projected: list[tf.Tensor], recurrent: tf.Tensor, kept: list[tf.Tensor | None]
) -> list[_Half]:
    """Through the steps, from h = c = 0; ``projected`` is x·W + b."""
    steps, _, width = projected[0].shape
    units = width // 4
    # σ(z) = ½ + ½·tanh(z/2): one function for all four.
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], np.float32), units)

    def advance(
        step: tf.Tensor, kept: tf.Tensor | None, output: tf.Tensor, cell: tf.Tensor, half: _Half
    ) -> tuple[tf.Tensor, tf.Tensor, _Half]:
        gates = half.gates.read(step) + tf.matmul(output, recurrent)
        gates = tf.tanh(gates * scale) * scale + (1 - scale)
        i, f, g, o = tf.split(gates, 4, axis=-1)
        next_cell = f * cell + i * g
        next_output = o * tf.tanh(next_cell)
        if kept is not None:
            next_cell = tf.where(kept[step], next_cell, cell)
            next_output = tf.where(kept[step], next_output, output)
        after = (gates, next_cell, next_output)
        half = _Half(*(_with(values, step, row) for values, row in zip(half, after, strict=True)))
        return next_output, next_cell, half

    initial = []
    for gates in projected:
        # What the gates will be takes the place of what is projected.
        nothing = tf.zeros_like(gates[..., :units])
        history = _Half(*map(_to_fill, (gates, nothing, nothing)))
        initial.append((nothing[0], nothing[0], history))
    _, final = tf.while_loop(
        lambda step, _: step < steps,
        lambda step, halves: (
            step + 1,
            [advance(step, mask, *half) for mask, half in zip(kept, halves, strict=True)],
        ),
        (tf.constant(0), initial),
        maximum_iterations=steps,
    )
    return [_Half(*(values.stack() for values in half)) for _, _, half in final]


def _backwards(
    halves: list[_Half],
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
    steps = upstream[0].shape[0]

    def factors(half: _Half, kept: tf.Tensor | None) -> tuple[tf.Tensor, ...]:
        """What does not wait for the step behind it."""
        i, f, g, o = tf.split(half.gates, 4, axis=-1)
        seen = tf.tanh(half.cells)
        of_gates = [g * i * (1 - i), _before(half.cells) * f * (1 - f), i * (1 - g * g)]
        slopes = tf.concat([*of_gates, seen * o * (1 - o)], axis=-1)
        to_cell = o * (1 - seen * seen)
        if kept is None:
            return slopes, to_cell, f
        zeros = tf.zeros_like(f)
        return (
            tf.where(kept, slopes, tf.zeros_like(slopes)),
            tf.where(kept, to_cell, zeros),
            tf.where(kept, f, zeros + 1),
        )

    def go_back(
        step: tf.Tensor,
        kept: tf.Tensor | None,
        upstream: tf.Tensor,
        to_cell: tf.Tensor,
        keep: tf.Tensor,
        behind: tf.Tensor,
        passed: tf.Tensor,
        d_cell: tf.Tensor,
        slopes: tf.TensorArray,
    ) -> tuple[tf.Tensor | tf.TensorArray, ...]:
        """``behind`` is ∂J/∂z of the step behind it, ``passed`` is a of one that is left out."""
        d_output = tf.matmul(behind, turned) + upstream[step]
        if kept is not None:
            d_output += passed
            passed = tf.where(kept[step], tf.zeros_like(passed), d_output)
        d_cell += d_output * to_cell[step]
        d_gates = tf.concat([d_cell, d_cell, d_cell, d_output], axis=-1) * slopes.read(step)
        return d_gates, passed, d_cell * keep[step], slopes.write(step, d_gates)

    constant, initial = [], []
    for above, half, keeps in zip(upstream, halves, kept, strict=True):
        slopes, to_cell, keep = factors(half, keeps)
        constant.append((keeps, above, to_cell, keep))
        nothing = tf.zeros_like(above[0])
        initial.append((tf.zeros_like(slopes[0]), nothing, nothing, _to_fill(slopes)))
    _, final = tf.while_loop(
        lambda step, _: step >= 0,
        lambda step, halves: (
            step - 1,
            [go_back(step, *known, *half) for known, half in zip(constant, halves, strict=True)],
        ),
        (tf.constant(steps - 1), initial),
        maximum_iterations=steps,
    )
    return [d_gates.stack() for *_, d_gates in final]


def _times(values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Values (steps, rows, features) times a kernel (features, width)."""
    product = tf.matmul(tf.reshape(values, (-1, values.shape[-1])), kernel)
    return tf.reshape(product, (values.shape[0], -1, kernel.shape[-1]))


def _of_kernels(part: tf.Tensor, half: _Half, d_gates: tf.Tensor) -> tf.Tensor:
    """The gradients of W, b and U, one below the other."""
    seen = tf.concat([part, _before(half.outputs)], axis=-1)
    # A product with what was transposed once takes two thirds of one that transposes it.
    columns = tf.reshape(tf.transpose(seen, (2, 0, 1)), (seen.shape[-1], -1))
    return tf.matmul(columns, tf.reshape(d_gates, (-1, d_gates.shape[-1])))


def _before(values: tf.Tensor) -> tf.Tensor:
    """Behind the step before each (steps, …): zeros before the first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], axis=0)


def _with(values: tf.TensorArray, step: tf.Tensor, row: tf.Tensor) -> tf.TensorArray:
    return values.write(step, row)


def _to_fill(values: tf.Tensor) -> tf.TensorArray:
    """For the loops: what each step replaces its own of (steps, …) in."""
    array = tf.TensorArray(
        values.dtype, values.shape[0], element_shape=values.shape[1:], clear_after_read=False
    )
    return array.unstack(values)
