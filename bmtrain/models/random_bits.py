"""Random numbers that are a pure function of what they are for: counters in, bits out."""

from __future__ import annotations

from typing import Final

import tensorflow as tf

_ROTATIONS: Final = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY: Final = 0x1BD11BDA
_NUM_ROUNDS: Final = 20


def threefry_2x32(
    key: tuple[tf.Tensor, tf.Tensor], counter: tuple[tf.Tensor, tf.Tensor]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 with 20 rounds: two words of random bits for each counter.

    Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3". All words are uint32
    and broadcast against each other. Plain integer arithmetic: the same bits in every engine
    and on every device.
    """
    keys = (*key, tf.constant(_PARITY, tf.uint32) ^ key[0] ^ key[1])
    x, y = counter[0] + keys[0], counter[1] + keys[1]
    for block in range(_NUM_ROUNDS // 4):
        for rotation in _ROTATIONS[block % 2]:
            x = x + y
            y = _rotated(y, rotation) ^ x
        x = x + keys[(block + 1) % 3]
        y = y + keys[(block + 2) % 3] + tf.constant(block + 1, tf.uint32)
    return x, y


def uniforms(seed: int, epoch: tf.Tensor, examples: tf.Tensor, per_example: int) -> tf.Tensor:
    """(examples, per_example) float32, evenly drawn from 2⁻²⁴ to 1 − 2⁻²⁴.

    Args:
        seed: of 31 bits, one for each purpose.
        epoch: scalar, from 0.
        examples: numbers of the training examples (examples,): who else is in a batch, and
            where, changes nothing.
        per_example: at most 2³² − 1.
    """
    key = tf.constant(seed, tf.uint32), tf.cast(epoch, tf.uint32)
    num_words = (per_example + 1) // 2
    counter = tf.cast(examples, tf.uint32)[:, None], tf.range(num_words)[None, :]
    words = threefry_2x32(key, (counter[0], tf.cast(counter[1], tf.uint32)))
    return between_zero_and_one(tf.concat(words, axis=1)[:, :per_example])


def between_zero_and_one(bits: tf.Tensor) -> tf.Tensor:
    """uint32 → float32, neither 0 nor 1: of more than 23 bits and a half the last rounds to 1."""
    upper = tf.cast(tf.bitwise.right_shift(bits, tf.constant(9, tf.uint32)), tf.float32)
    return (upper + 0.5) * 2.0**-23


def _rotated(word: tf.Tensor, by: int) -> tf.Tensor:
    left = tf.bitwise.left_shift(word, tf.constant(by, tf.uint32))
    return left | tf.bitwise.right_shift(word, tf.constant(32 - by, tf.uint32))
