"""Gated recurrent units, with a gradient of their own.

With p = x·W + b of each step and q = h·U + d, (z, r) = (σ(p₁ + q₁), σ(p₂ + q₂)),
g = tanh(p₃ + r ∘ q₃) and h ← z ∘ h + (1 − z) ∘ g (Cho et al. 2014, the reset behind the product).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
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
        gates: z, r, g side by side.
        inner: q₃.
        outputs: h behind each step.
    """

    gates: tf.Tensor
    inner: tf.Tensor
    outputs: tf.Tensor


class _Factors(NamedTuple):
    """What the gradient of a part of the batch does not wait for, each (steps, rows, features).

    Attributes:
        upstream: ∂J/∂h from above.
        of_inner: ∂h/∂q.
        of_new: ∂h/∂p₃; of the others it is that of q.
        keep: ∂h/∂h′, h′ being h of the step before, but for what goes through q.
    """

    upstream: tf.Tensor
    of_inner: tf.Tensor
    of_new: tf.Tensor
    keep: tf.Tensor


def is_plain_gru(layer: keras.layers.GRU, inputs: tf.Tensor) -> bool:
    """Whether it is the one of the formula above, in float32."""
    del inputs
    return (
        layer.compute_dtype == "float32"
        and layer.reset_after
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
    )


def gru(
    layer: keras.layers.GRU,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """The layer's outputs, see ``through_steps``."""
    del seed, position, step  # nothing is random
    recurrent = tf.convert_to_tensor(layer.cell.recurrent_kernel.value)
    bias, inner_bias = None, tf.zeros(recurrent.shape[-1:])
    if layer.cell.use_bias:
        bias, inner_bias = tf.unstack(tf.convert_to_tensor(layer.cell.bias.value))

    def hidden(
        kernel: tf.Tensor, parts: list[tf.Tensor], kept: list[tf.Tensor | None]
    ) -> list[tf.Tensor]:
        return _hidden((kernel, recurrent, inner_bias), parts, kept)

    return through_steps(layer, inputs, mask, bias, hidden)


def _hidden(
    weights: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    parts: list[tf.Tensor],
    kept: list[tf.Tensor | None],
) -> list[tf.Tensor]:
    @tf.custom_gradient
    def hidden(
        kernel: tf.Tensor, recurrent: tf.Tensor, inner_bias: tf.Tensor, *parts: tf.Tensor
    ) -> tuple[list[tf.Tensor], Any]:
        projected = [times(part, kernel) for part in parts]
        done = _forwards(projected, recurrent, inner_bias, kept)

        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            pairs = _backwards(done, upstream, recurrent, kept)
            d_kernel = tf.add_n(
                [of_kernel(part, d_p) for part, (d_p, _) in zip(parts, pairs, strict=True)]
            )
            # One product gives the gradients of U and d, one below the other.
            of_both = []
            for steps, (_, d_q) in zip(done, pairs, strict=True):
                seen = before(steps.outputs)
                seen = tf.concat([seen, tf.ones_like(seen[..., :1])], axis=-1)
                of_both.append(of_kernel(seen, d_q))
            d_recurrent, d_inner = tf.split(tf.add_n(of_both), [recurrent.shape[0], 1])
            turned = tf.transpose(kernel)
            return d_kernel, d_recurrent, d_inner[0], *(times(d_p, turned) for d_p, _ in pairs)

        return [steps.outputs for steps in done], gradient

    return list(hidden(*weights, *parts))


def _forwards(
    projected: list[tf.Tensor],
    recurrent: tf.Tensor,
    inner_bias: tf.Tensor,
    kept: list[tf.Tensor | None],
) -> list[_Steps]:
    """Through the steps, from h = 0; ``projected`` is p."""
    num_steps, _, width = projected[0].shape
    units = width // 3

    def advance(step: tf.Tensor, kept: tf.Tensor | None, state: Any) -> Any:
        output, history = state
        of_gates = history.gates.read(step)
        inner = tf.matmul(output, recurrent) + inner_bias
        # σ(z) = ½ + ½·tanh(z/2), which XLA is faster at.
        half = (of_gates[..., : 2 * units] + inner[..., : 2 * units]) / 2
        z, r = tf.split(tf.tanh(half) / 2 + 0.5, 2, axis=-1)
        g = tf.tanh(of_gates[..., 2 * units :] + r * inner[..., 2 * units :])
        next_output = z * output + (1 - z) * g
        if kept is not None:
            next_output = tf.where(kept[step], next_output, output)
        rows = (tf.concat([z, r, g], axis=-1), inner[..., 2 * units :], next_output)
        written = (array.write(step, row) for array, row in zip(history, rows, strict=True))
        return next_output, _Steps(*written)

    initial = []
    for gates in projected:
        # What the gates will be takes the place of what is projected.
        nothing = tf.zeros_like(gates[..., :units])
        initial.append((nothing[0], _Steps(*map(to_fill, (gates, nothing, nothing)))))
    final = side_by_side(range(num_steps), advance, kept, initial)
    return [_Steps(*(array.stack() for array in history)) for _, history in final]


def _backwards(
    done: list[_Steps],
    upstream: Sequence[tf.Tensor],
    recurrent: tf.Tensor,
    kept: list[tf.Tensor | None],
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """∂J/∂p and ∂J/∂q of each step (steps, rows, 3·units).

    Both are a = ∂J/∂h times what ``_Factors`` has, and of the step before
    a is the upstream gradient plus a ∘ ∂h/∂h′ + ∂J/∂q · Uᵀ.
    """
    turned = tf.transpose(recurrent)

    def advance(step: tf.Tensor, known: _Factors, state: Any) -> Any:
        # The product comes first: of each part a thread begins with it.
        behind, passed, d_inners, d_outputs = state
        d_output = tf.matmul(behind, turned) + passed + known.upstream[step]
        d_inner = tf.concat([d_output] * 3, axis=-1) * d_inners.read(step)
        written = d_inners.write(step, d_inner), d_outputs.write(step, d_output)
        return d_inner, d_output * known.keep[step], *written

    known = list(map(_factors, done, upstream, kept))
    initial = []
    for factors in known:
        # The gradients take the place of what they are products with.
        of_inner, nothing = factors.of_inner, tf.zeros_like(factors.upstream)
        arrays = to_fill(of_inner), to_fill(nothing)
        initial.append((tf.zeros_like(of_inner[0]), nothing[0], *arrays))
    backwards = range(upstream[0].shape[0] - 1, -1, -1)
    pairs = []
    final = side_by_side(backwards, advance, known, initial)
    for factors, (*_, d_inners, d_outputs) in zip(known, final, strict=True):
        d_q, d_new = d_inners.stack(), d_outputs.stack() * factors.of_new
        of_gates = d_q[..., : -d_new.shape[-1]]
        pairs.append((tf.concat([of_gates, d_new], axis=-1), d_q))
    return pairs


def _factors(steps: _Steps, upstream: tf.Tensor, kept: tf.Tensor | None) -> _Factors:
    """A step left out has no part in p and q, and keeps all of h."""
    z, r, g = tf.split(steps.gates, 3, axis=-1)
    of_new = (1 - z) * (1 - g * g)
    of_gates = [(before(steps.outputs) - g) * z * (1 - z), of_new * steps.inner * r * (1 - r)]
    of_inner = tf.concat([*of_gates, of_new * r], axis=-1)
    if kept is not None:
        of_inner = tf.where(kept, of_inner, tf.zeros_like(of_inner))
        of_new = tf.where(kept, of_new, tf.zeros_like(of_new))
        z = tf.where(kept, z, tf.ones_like(z))
    return _Factors(upstream, of_inner, of_new, z)
