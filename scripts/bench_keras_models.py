"""A model of ``scripts/bench --suite models`` as a plain Keras script, all defaults of ``fit``.

python scripts/bench_keras_models.py RESULT.json CASE NUM_EXAMPLES EPOCHS BATCH_SIZE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from bench_keras import EpochTimes, read_idx

layers = keras.layers


def _with_places(steps: int, width: int) -> Any:
    """A vector for each place, added to what is there."""
    inputs = keras.Input((steps, width))
    places = keras.ops.cumsum(keras.ops.ones_like(inputs[:, :, 0], dtype="int32"), axis=1) - 1
    return keras.Model(inputs, inputs + layers.Embedding(steps, width)(places))


def _transformer_block(steps: int, width: int, heads: int, hidden: int, dropout: float) -> Any:
    """Attention and two dense layers, each behind a normalisation and beside a shortcut."""
    inputs = keras.Input((steps, width))
    normed = layers.LayerNormalization(epsilon=1e-5)(inputs)
    seen = layers.MultiHeadAttention(heads, width // heads, dropout=dropout)(normed, normed)
    between = inputs + layers.Dropout(dropout)(seen)
    normed = layers.LayerNormalization(epsilon=1e-5)(between)
    dense = layers.Dense(width)(layers.Dense(hidden, activation="gelu")(normed))
    return keras.Model(inputs, between + layers.Dropout(dropout)(dense))


#: Case -> layers behind pictures (28, 28) of floats from 0 to 1, before ten classes.
CASES: dict[str, Callable[[], list[Any]]] = {
    "mlp": lambda: [
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(512, activation="relu"),
    ],
    "mlp_batch_norm": lambda: [
        layers.Flatten(),
        layers.Dense(512, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dropout(0.2),
    ],
    "cnn": lambda: [
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.5),
    ],
    "cnn_batch_norm": lambda: [
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(16, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.GlobalAveragePooling2D(),
    ],
    "lstm": lambda: [layers.LSTM(64)],
    "transformer": lambda: [
        layers.Dense(64),
        _with_places(28, 64),
        _transformer_block(28, 64, 4, 128, 0.1),
        _transformer_block(28, 64, 4, 128, 0.1),
        layers.GlobalAveragePooling1D(),
    ],
}


def main(result: Path, case: str, num_examples: int, epochs: int, batch_size: int) -> None:
    """Train and write the figures."""
    x = read_idx("train-images-idx3-ubyte.gz")[:num_examples].astype("float32") / 255
    y = read_idx("train-labels-idx1-ubyte.gz")[:num_examples]
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Input((28, 28)), *CASES[case](), layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    times = EpochTimes()
    model.fit(x, y, batch_size=batch_size, epochs=epochs, callbacks=[times])
    figures = {
        "epoch_s": times.epoch_s,
        "steps": int(model.optimizer.iterations.numpy()),
        "parameters": model.count_params(),
    }
    result.write_text(json.dumps(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))
