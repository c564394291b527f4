"""What ``scripts/bench --suite models`` measures: an epoch of several kinds of models.

Each against ``keras.Model.fit`` with all its defaults, alternately, and under both of our
engines: what ``training.engine: auto`` chooses should be the faster one.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench_commands import Bench, Figures

KERAS_SCRIPT: Final = Path(__file__).with_name("bench_keras_models.py")
NUM_EXAMPLES, EPOCHS, BATCH_SIZE = 12_800, 4, 64
ENGINES: Final = ("auto", "xla", "graph")

_RELU: Final = {"type": "activation", "activation": "relu"}
_BLOCK: Final = {"type": "transformer_block", "num_heads": 4, "intermediate_dim": 128}
_BARE: Final = {"padding": "same", "use_bias": False}
#: Case -> our layers before the output; those of bench_keras_models.py.
CASES: Final[dict[str, list[dict[str, Any]]]] = {
    "mlp": [
        {"type": "flatten"},
        {"type": "dense", "units": 512, "activation": "relu"},
        {"type": "dense", "units": 512, "activation": "relu"},
    ],
    "mlp_batch_norm": [
        {"type": "flatten"},
        {"type": "dense", "units": 512, "use_bias": False},
        {"type": "batch_normalization"},
        _RELU,
        {"type": "dropout", "rate": 0.2},
    ],
    "cnn": [
        {"type": "reshape", "target_shape": [28, 28, 1]},
        {"type": "conv2d", "filters": 32, "kernel_size": 3, "activation": "relu"},
        {"type": "max_pooling2d"},
        {"type": "conv2d", "filters": 64, "kernel_size": 3, "activation": "relu"},
        {"type": "max_pooling2d"},
        {"type": "flatten"},
        {"type": "dropout", "rate": 0.5},
    ],
    "cnn_batch_norm": [
        {"type": "reshape", "target_shape": [28, 28, 1]},
        {"type": "conv2d", "filters": 16, "kernel_size": 3, **_BARE},
        {"type": "batch_normalization"},
        _RELU,
        {"type": "max_pooling2d"},
        {"type": "conv2d", "filters": 32, "kernel_size": 3, **_BARE},
        {"type": "batch_normalization"},
        _RELU,
        {"type": "global_average_pooling2d"},
    ],
    "lstm": [{"type": "lstm", "units": 64}],
    "transformer": [
        {"type": "dense", "units": 64},
        {"type": "positional_embedding"},
        _BLOCK | {"dropout": 0.1},
        _BLOCK | {"dropout": 0.1},
        {"type": "global_average_pooling1d"},
    ],
}


def measure_models(bench: Bench, repeats: int, cases: Sequence[str] = tuple(CASES)) -> Figures:
    """For each case the median epoch of each, Keras's over ours, and over its products alone."""
    return {"repeats": repeats, **{case: _measured(bench, case, repeats) for case in cases}}


def _measured(bench: Bench, case: str, repeats: int) -> Figures:
    config = _config(bench, case)
    runs: dict[str, list[Figures]] = {name: [] for name in (*ENGINES, "keras")}
    products: list[float] = []
    for repeat in range(repeats):
        for engine in ENGINES:
            runs[engine].append(bench.bmtrain(f"training.engine={engine}", config=config))
        runs["keras"].append(_keras(bench, case))
        products.append(bench.products_epoch_s(case))
        seconds = ", ".join(f"{name} {_epoch_s(done[-1:]):.2f} s" for name, done in runs.items())
        print(f"bench: {case}, {repeat + 1} of {repeats}: {seconds}", file=sys.stderr, flush=True)
    for key in ("steps", "parameters"):
        counts = {run[key] for done in runs.values() for run in done}
        if len(counts) != 1:
            sys.exit(f"bench: {case}: the {key} differ: {sorted(counts)}")
    epoch_s = {name: _epoch_s(done) for name, done in runs.items()}
    return {
        "epoch_s": epoch_s,
        "epoch_ratio": epoch_s["keras"] / epoch_s["auto"],
        "products_s": statistics.median(products),
        "products_ratio": epoch_s["keras"] / statistics.median(products),
        "compile_s": {
            name: statistics.median(run["timing"]["compile_s"] for run in runs[name])
            for name in ENGINES
        },
        "runs": runs,
    }


def _config(bench: Bench, case: str) -> Path:
    output = {"type": "dense", "units": 10, "activation": "softmax"}
    path = bench.scratch / f"{case}.yaml"
    config = {
        "name": case,
        "data": {"source": "mnist", "train_examples": NUM_EXAMPLES},
        "model": {"layers": [*CASES[case], output]},
        "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"],
        "optimizer": {"name": "adam"},
        "training": {"epochs": EPOCHS, "batch_size": BATCH_SIZE},
    }
    path.write_text(json.dumps(config))  # which is YAML
    return path


def _keras(bench: Bench, case: str) -> Figures:
    result = bench.scratch / "keras.json"
    words = [case, *map(str, (NUM_EXAMPLES, EPOCHS, BATCH_SIZE))]
    ended = bench.run([sys.executable, KERAS_SCRIPT, result, *words])
    figures: Figures = json.loads(result.read_text())
    return {**figures, "whole_s": ended.seconds}


def _epoch_s(runs: Sequence[Figures]) -> float:
    """The median over runs of each run's median of all epochs but the first."""
    return float(statistics.median(statistics.median(run["epoch_s"][1:]) for run in runs))
