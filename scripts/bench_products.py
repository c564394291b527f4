"""The two large matrix products of the reference experiment's steps, and nothing else.

    python scripts/bench_products.py RESULT.json

Whatever trains the model step by step has to compute the first layer's outputs, (32, 784) by
(784, 128), and its gradient, (784, 32) by (32, 128), 1,875 times an epoch, each on what the step
before has left. An epoch cannot be faster than these where XLA computes them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before the import

import tensorflow as tf

STEPS, BATCH, FEATURES, UNITS = 1875, 32, 784, 128


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
def products(inputs: tf.Tensor, outputs: tf.Tensor, kernel: tf.Tensor, steps: tf.Tensor) -> object:
    """The outputs and the kernel after ``steps`` steps."""

    def step(number: tf.Tensor, outputs: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, ...]:
        gradient = tf.matmul(inputs, outputs, transpose_a=True)
        return number + 1, tf.matmul(inputs, kernel), gradient

    return tf.while_loop(lambda number, *_: number < steps, step, (0, outputs, kernel))


def epoch_s(num_epochs: int) -> list[float]:
    """Seconds of each epoch's products."""
    tf.keras.utils.set_random_seed(0)
    inputs = tf.random.uniform((BATCH, FEATURES))
    inputs /= tf.linalg.svd(inputs, compute_uv=False)[0]  # or the products would grow
    outputs = tf.random.uniform((BATCH, UNITS))
    kernel = tf.random.uniform((FEATURES, UNITS))
    products(inputs, outputs, kernel, tf.constant(1))  # compiles
    times = []
    for _ in range(num_epochs):
        began = time.perf_counter()
        _, _, kernel_after = products(inputs, outputs, kernel, tf.constant(STEPS))
        kernel_after.numpy()
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps({"epoch_s": statistics.median(epoch_s(9))}))
