"""Recurrent layers as XLA is fast at them on a processor: what their lowerings share.

Keras multiplies inputs and kernel, and adds up the gradients of both kernels, in each step, where
the products are small. These do it once over all steps, by gradients of their own, and their loops
hold what has to wait for the step before. Two halves of the batch go through a loop side by side:
XLA gives each a thread.

Everything within has the steps first: (steps, rows, features), rows being a part of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import keras
import tensorflow as tf

#: (kernel and input bias below it, parts of the batch, for each which steps count) -> h of each.
Hidden = Callable[[tf.Tensor, list[tf.Tensor], list[tf.Tensor | None]], list[tf.Tensor]]
#: (step, what is known of a part, its state) -> its state
Advance = Callable[[tf.Tensor, Any, Any], Any]

#: Of how many examples on a batch goes in two halves.
_MIN_BATCH: Final = 16


def through_steps(
    layer: keras.layers.RNN,
    inputs: tf.Tensor,
    mask: tf.Tensor | None,
    bias: tf.Tensor | None,
    hidden: Hidden,
) -> tf.Tensor:
    """The layer's outputs: the last step's h (batch, units), or each one's (batch, steps, units).

    Args:
        inputs: (batch, steps, features).
        mask: (batch, steps): a step where it is False leaves the state as it is.
        bias: of the product of inputs and kernel.
        hidden: see ``Hidden``; where there is a bias, the parts' last feature is 1.
    """
    backwards = [1] if layer.go_backwards else []
    kernel = tf.convert_to_tensor(layer.cell.kernel.value)
    features = tf.transpose(tf.reverse(inputs, backwards), (1, 0, 2))
    if bias is not None:
        kernel = tf.concat([kernel, bias[tf.newaxis]], axis=0)
        features = tf.concat([features, tf.ones_like(features[..., :1])], axis=-1)
    batch = inputs.shape[0] or 1
    num_parts = 2 if batch >= _MIN_BATCH and batch % 2 == 0 else 1
    kept: list[tf.Tensor | None] = [None] * num_parts
    if mask is not None:
        rows = tf.transpose(tf.reverse(mask, backwards))[..., tf.newaxis]
        kept = tf.split(rows, num_parts, axis=1)
    outputs = tf.concat(hidden(kernel, tf.split(features, num_parts, axis=1), kept), axis=1)
    if not layer.return_sequences:
        return outputs[-1]
    outputs = tf.transpose(outputs, (1, 0, 2))
    if mask is None or not layer.zero_output_for_mask:  # as Bidirectional has it
        return outputs
    return tf.where(tf.reverse(mask, backwards)[..., tf.newaxis], outputs, tf.zeros_like(outputs))


def side_by_side(
    steps: range, advance: Advance, known: Sequence[Any], initial: Sequence[Any]
) -> list[Any]:
    """The states of all parts behind the last of the steps."""

    def all_advance(step: tf.Tensor, states: list[Any]) -> tuple[tf.Tensor, list[Any]]:
        pairs = zip(known, states, strict=True)
        return step + steps.step, [advance(step, of_part, state) for of_part, state in pairs]

    def goes_on(step: tf.Tensor, states: list[Any]) -> tf.Tensor:
        del states
        return step < steps.stop if steps.step > 0 else step > steps.stop

    loop_vars = (tf.constant(steps.start), list(initial))
    _, final = tf.while_loop(goes_on, all_advance, loop_vars, maximum_iterations=len(steps))
    return list(final)


def to_fill(values: tf.Tensor) -> tf.TensorArray:
    """For a loop whose steps replace their own of (steps, rows, features)."""
    array = tf.TensorArray(
        values.dtype, values.shape[0], element_shape=values.shape[1:], clear_after_read=False
    )
    return array.unstack(values)


def times(values: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Values (steps, rows, features) times a kernel (features, width)."""
    product = tf.matmul(tf.reshape(values, (-1, values.shape[-1])), kernel)
    return tf.reshape(product, (values.shape[0], -1, kernel.shape[-1]))


def of_kernel(values: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
    """The gradient of ``times`` for the kernel."""
    # A product with what was transposed once takes two thirds of one that transposes it.
    columns = tf.reshape(tf.transpose(values, (2, 0, 1)), (values.shape[-1], -1))
    return tf.matmul(columns, tf.reshape(upstream, (-1, upstream.shape[-1])))


def before(values: tf.Tensor) -> tf.Tensor:
    """Of each step what the one before has; zeros before the first."""
    return tf.concat([tf.zeros_like(values[:1]), values[:-1]], axis=0)
