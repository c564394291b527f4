"""The matrix products and convolutions of a model's steps, and nothing else.

    python scripts/bench_products.py RESULT.json CASE

Whatever trains a model step by step has to compute each layer's outputs, the gradient of its kernel
and, behind the first layer, that of its inputs. An epoch cannot be faster than these where
TensorFlow computes them, be it by XLA or in a graph; the result has both, and the lesser.

Each is computed from what the step before has left, so that none may be moved out of the loop.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before the import

import tensorflow as tf


@dataclass(frozen=True)
class Dense:
    """``batch`` times (rows, features) by (features, units)."""

    rows: int
    features: int
    units: int
    batch: int = 0  # none: plain matrices
    is_first: bool = False  # no gradient of its inputs

    def initial(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Inputs, kernel, and a gradient of the outputs."""
        front = [self.batch] if self.batch else []
        return (
            tf.random.normal([*front, self.rows, self.features]),
            tf.random.normal([*front, self.features, self.units]),
            tf.random.normal([*front, self.rows, self.units]),
        )

    def step(
        self, inputs: tf.Tensor, kernel: tf.Tensor, gradient: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The gradients of inputs and kernel, and the outputs."""
        before = inputs if self.is_first else tf.matmul(gradient, kernel, transpose_b=True)
        return before, tf.matmul(inputs, gradient, transpose_a=True), tf.matmul(inputs, kernel)


@dataclass(frozen=True)
class Convolution:
    """``size`` by ``size`` pixels and 3 by 3 kernels."""

    batch: int
    size: int
    channels: int
    filters: int
    padding: str = "VALID"
    is_first: bool = False

    def initial(self) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Inputs, kernel, and a gradient of the outputs."""
        size = self.size - 2 if self.padding == "VALID" else self.size
        return (
            tf.random.normal([self.batch, self.size, self.size, self.channels]),
            tf.random.normal([3, 3, self.channels, self.filters]),
            tf.random.normal([self.batch, size, size, self.filters]),
        )

    def step(
        self, inputs: tf.Tensor, kernel: tf.Tensor, gradient: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The gradients of inputs and kernel, and the outputs."""
        how = {"strides": [1, 1, 1, 1], "padding": self.padding}
        before = inputs
        if not self.is_first:
            before = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=inputs.shape, filter=kernel, out_backprop=gradient, **how
            )
        of_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=inputs, filter_sizes=kernel.shape, out_backprop=gradient, **how
        )
        return before, of_kernel, tf.raw_ops.Conv2D(input=inputs, filter=kernel, **how)


@dataclass(frozen=True)
class Case:
    """What a step computes, and how many steps an epoch has."""

    parts: tuple[Dense | Convolution, ...]
    steps: int = 200


def _block(width: int = 64, intermediate: int = 128) -> tuple[Dense, ...]:
    """A transformer block: 64 sequences of 28 steps, 4 heads of 16."""
    rows, heads = 64 * 28, 64 * 4
    return (
        Dense(rows, width, 3 * width),
        Dense(28, 16, 28, batch=heads),
        Dense(28, 28, 16, batch=heads),
        Dense(rows, width, width),
        Dense(rows, width, intermediate),
        Dense(rows, intermediate, width),
    )


#: The reference experiment (784-128-10, batches of 32: the two large products alone), and the cases
#: of ``--suite models`` (batches of 64). A recurrent layer's products over time are one here.
CASES: Final = {
    "reference": Case((Dense(32, 784, 128, is_first=True),), steps=1875),
    "mlp": Case((Dense(64, 784, 512, is_first=True), Dense(64, 512, 512), Dense(64, 512, 10))),
    "mlp_batch_norm": Case((Dense(64, 784, 512, is_first=True), Dense(64, 512, 10))),
    "cnn": Case(
        (
            Convolution(64, 28, 1, 32, is_first=True),
            Convolution(64, 13, 32, 64),
            Dense(64, 1600, 10),
        )
    ),
    "cnn_batch_norm": Case(
        (
            Convolution(64, 28, 1, 16, "SAME", is_first=True),
            Convolution(64, 14, 16, 32, "SAME"),
            Dense(64, 32, 10),
        )
    ),
    "lstm": Case(
        (Dense(64 * 28, 28, 256, is_first=True), Dense(64 * 28, 64, 256), Dense(64, 64, 10))
    ),
    "transformer": Case(
        (Dense(64 * 28, 28, 64, is_first=True), *_block(), *_block(), Dense(64, 64, 10))
    ),
}


def epoch_s(case: Case, *, jit_compile: bool, num_epochs: int = 7) -> float:
    """The median of the seconds that an epoch's steps take."""

    @tf.function(jit_compile=jit_compile, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def epoch(steps: tf.Tensor, state: Any) -> Any:
        images = state[0][0]  # of the first layer, whose inputs stay

        def step(number: tf.Tensor, state: Any) -> Any:
            first, *others = zip(case.parts, state, strict=True)
            part, arrays = first
            _, *of_first = part.step(images, *arrays)
            return number + 1, [of_first, *(part.step(*arrays) for part, arrays in others)]

        first, *others = state
        return tf.while_loop(lambda number, _: number < steps, step, (0, [first[1:], *others]))

    state = [list(part.initial()) for part in case.parts]
    epoch(tf.constant(1), state)  # compiles
    times = []
    for _ in range(num_epochs):
        began = time.perf_counter()
        _, after = epoch(tf.constant(case.steps), state)
        after[-1][-1].numpy()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    tf.keras.utils.set_random_seed(0)
    chosen = CASES[sys.argv[2]]
    # XLA's own convolutions take some ten times as long, and no training uses them.
    convolves = any(isinstance(part, Convolution) for part in chosen.parts)
    modes = ("graph",) if convolves else ("xla", "graph")
    found = {name: epoch_s(chosen, jit_compile=name == "xla") for name in modes}
    Path(sys.argv[1]).write_text(json.dumps({"epoch_s": min(found.values()), **found}))
