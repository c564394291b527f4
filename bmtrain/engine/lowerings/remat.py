"""Gradient checkpointing: what a block computed is computed again for the gradient, not kept.

Chen et al. (2016), "Training deep nets with sublinear memory cost".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

#: inputs -> (outputs, mask)
Block = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor | None]]


def rematerialized(
    block: keras.Model, compute: Block, inputs: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """``compute(inputs)``; of it, the gradient keeps the inputs alone.

    The second computation is of the same values: what is random is a pure function of (seed,
    layer, step). Moving statistics are updated by the first alone.
    """
    variables = block.trainable_variables
    first: list[tuple[keras.StatelessScope, tf.Tensor | None]] = []

    @tf.custom_gradient
    def run(inputs: tf.Tensor, *weights: tf.Tensor) -> tuple[tf.Tensor, Any]:
        outputs, mask, scope = _computed(compute, inputs, variables, weights)
        first.append((scope, mask))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                again = _only_after(upstream, inputs)
                tape.watch([again, *weights])
                outputs, _, _ = _computed(compute, again, variables, weights)
            found = tape.gradient(
                outputs,
                [again, *weights],
                output_gradients=upstream,
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            return [tf.convert_to_tensor(each) for each in found]

        return outputs, gradient

    outputs = run(inputs, *(tf.convert_to_tensor(variable.value) for variable in variables))
    ((scope, mask),) = first
    for variable in block.non_trainable_variables:
        if (value := scope.get_current_value(variable)) is not None:
            variable.assign(value)
    return outputs, mask


def _computed(
    compute: Block,
    inputs: tf.Tensor,
    variables: list[keras.Variable],
    weights: tuple[tf.Tensor, ...],
) -> tuple[tf.Tensor, tf.Tensor | None, keras.StatelessScope]:
    """With ``weights`` for the variables' values; what is assigned stays in the scope."""
    with keras.StatelessScope(list(zip(variables, weights, strict=True))) as scope:
        outputs, mask = compute(inputs)
    return outputs, mask, scope


def _only_after(upstream: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
    """The inputs, which cannot be known before the gradient of the outputs is.

    Without that the compiler, XLA above all, sees that both computations are one and keeps the
    first; it drops an optimization barrier and control dependencies. What is added is 0, or NaN
    where the gradient is: nobody but the data knows that.
    """
    some = tf.reshape(upstream, [-1])[0]
    nothing = tf.where(tf.math.is_nan(some), some, tf.zeros_like(some))
    return inputs + tf.cast(nothing, inputs.dtype)
