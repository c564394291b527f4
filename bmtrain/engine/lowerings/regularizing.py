"""What is random in training, as a pure function of (seed, layer, step).

Keras lets TensorFlow choose the random generator and gets a slow one under XLA; it also keeps
a generator state that a resumed run would have to carry.

Two counter-based generators of Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2,
3". Philox is TensorFlow's own kernel in a graph. XLA on a processor computes a whole block of it
for each number, one after the other: 19 ns each; Threefry, which only adds, rotates and xors, it
computes for many at a time: 2 ns, half of that where 16 bits are enough.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import keras
import tensorflow as tf

from bmtrain.models.initial_weights import Place, derived_seed

Generator = Literal["philox", "threefry"]

#: The largest number of 16 bits.
_HALF: Final = 0xFFFF


def dropout(
    layer: keras.layers.Dropout,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    *,
    generator: Generator = "philox",
) -> tf.Tensor:
    """Inverted dropout; the mask is a pure function of (seed, position, step)."""
    key = key_of(seed, "dropout", position, step)
    return dropped(inputs, layer.rate, tf.shape(inputs), key, generator)


def spatial_dropout(
    layer: keras.layers.Layer,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    *,
    generator: Generator = "philox",
) -> tf.Tensor:
    """The same of whole channels (batch, …, channels)."""
    between = [1] * (len(inputs.shape) - 2)
    shape = [tf.shape(inputs)[0], *between, inputs.shape[-1]]
    key = key_of(seed, "dropout", position, step)
    return dropped(inputs, layer.rate, shape, key, generator)


def gaussian_dropout(
    layer: keras.layers.Layer,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    *,
    generator: Generator = "philox",
) -> tf.Tensor:
    """The inputs times numbers from N(1, rate/(1−rate))."""
    if layer.rate == 0:
        return inputs
    stddev = math.sqrt(layer.rate / (1 - layer.rate))
    key = key_of(seed, "dropout", position, step)
    return inputs * (1 + stddev * _normal(inputs, key, generator))


def gaussian_noise(
    layer: keras.layers.Layer,
    inputs: tf.Tensor,
    seed: int,
    position: Place,
    step: tf.Tensor,
    *,
    generator: Generator = "philox",
) -> tf.Tensor:
    """The inputs plus numbers from N(0, stddev²)."""
    if layer.stddev == 0:
        return inputs
    key = key_of(seed, "noise", position, step)
    return inputs + layer.stddev * _normal(inputs, key, generator)


def key_of(seed: int, purpose: str, position: Place, step: tf.Tensor) -> tf.Tensor:
    """What is drawn by; Threefry takes the lower 32 bits of each, and the seed has 31."""
    return tf.stack([tf.constant(derived_seed(seed, purpose, position), tf.int64), step])


def dropped(
    values: tf.Tensor,
    rate: float,
    shape: tf.Tensor | list[int],
    key: tf.Tensor,
    generator: Generator = "philox",
) -> tf.Tensor:
    """Values times 0 with probability ``rate``, else 1/(1−rate), drawn once for each of ``shape``."""
    if rate == 0:
        return values
    if generator == "threefry":
        return values * tf.cast(kept_factors(shape, rate, key), values.dtype)
    uniform = tf.random.stateless_uniform(shape, key, alg=generator)
    kept = tf.cast(uniform >= rate, values.dtype)
    return values * kept * (1.0 / (1.0 - rate))


def kept_factors(shape: tf.Tensor | list[int], rate: float, key: tf.Tensor) -> tf.Tensor | None:
    """0 with probability ``rate``, to 1/65,536, else 1/(1−rate), float32; None: nothing is dropped.

    Each half of a number of Threefry's is for one of them: the first half of the batch gets the
    lower 16 bits, the second the upper ones.
    """
    if rate == 0:
        return None
    batch, *rest = shape if isinstance(shape, list) else tf.unstack(shape)
    rows = (batch + 1) // 2
    bits = tf.random.stateless_uniform(
        [1, rows, *rest], key, minval=None, maxval=None, dtype=tf.uint32, alg="threefry"
    )
    shifts = tf.reshape(tf.constant([0, 16], tf.uint32), (2, *[1] * (len(rest) + 1)))
    halves = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits, shifts), _HALF)
    halves = tf.reshape(halves, [2 * rows, *rest])[:batch]
    dropped_below = tf.constant(round(rate * (_HALF + 1)), tf.int32)
    return tf.cast(tf.cast(halves, tf.int32) >= dropped_below, tf.float32) * (1.0 / (1.0 - rate))


def _normal(inputs: tf.Tensor, key: tf.Tensor, generator: Generator) -> tf.Tensor:
    normal = tf.random.stateless_normal(tf.shape(inputs), key, alg=generator)
    return tf.cast(normal, inputs.dtype)  # float32 is drawn, and rounded where it is used
