"""The reference experiment (configs/mnist.yaml) as a plain Keras script, all defaults.

    python scripts/bench_keras.py RESULT.json [--seed 0] [--hidden 128 …] [--batch 32] [--epochs 5]

Reads the bundled IDX files, trains with ``keras.Model.fit``, evaluates the test split, and
writes what ``scripts/bench`` compares: epoch times, steps, parameters, test accuracy.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

MNIST = Path(__file__).parents[1] / "bmtrain" / "data" / "bundled" / "mnist"


class EpochTimes(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Seconds from the beginning of each epoch to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.epoch_s: list[float] = []
        self._began = 0.0

    def on_epoch_begin(self, *_: Any) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, *_: Any) -> None:
        """Stop it."""
        self.epoch_s.append(time.perf_counter() - self._began)


def read_idx(name: str) -> NDArray[np.uint8]:
    """Read one bundled file: magic, sizes as big-endian int32, then bytes."""
    content = gzip.decompress((MNIST / name).read_bytes())
    rank = content[3]
    shape = np.frombuffer(content, ">i4", count=rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def main() -> None:
    """Train, evaluate, write the figures."""
    options = _options()
    x_train = read_idx("train-images-idx3-ubyte.gz").astype("float32") / 255
    y_train = read_idx("train-labels-idx1-ubyte.gz")
    x_test = read_idx("t10k-images-idx3-ubyte.gz").astype("float32") / 255
    y_test = read_idx("t10k-labels-idx1-ubyte.gz")

    keras.utils.set_random_seed(options.seed)
    model = keras.Sequential(
        [
            keras.layers.Input((28, 28)),
            keras.layers.Flatten(),
            *(keras.layers.Dense(units, activation="relu") for units in options.hidden),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(0.001),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    times = EpochTimes()
    steps = {"batch_size": options.batch, "epochs": options.epochs}
    model.fit(x_train, y_train, **steps, callbacks=[times])
    loss, accuracy = model.evaluate(x_test, y_test)
    figures = {
        "epoch_s": times.epoch_s,
        "steps": int(model.optimizer.iterations.numpy()),
        "parameters": model.count_params(),
        "test_loss": loss,
        "test_accuracy": accuracy,
    }
    options.result.write_text(json.dumps(figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("result", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
