"""What ``scripts/bench --suite gpu`` measures: the same training on the GPU and on the processor.

Two networks on MNIST: the reference experiment, whose steps are too small to fill a GPU, and a
wide one in large batches. ``keras.Model.fit`` runs on the GPU, with Keras's defaults: there its
products are rounded to 10 bits of mantissa (TF32), bmtrain's are not.
"""

from __future__ import annotations

import sys

from bench_commands import Bench, Figures
from bench_suites import epoch_s, middle, say

_WIDE = (2048, 2048)
_BATCH, _EPOCHS = 1024, 5
#: name -> (words of bmtrain, options of scripts/bench_keras.py)
_NETWORKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mnist": ((), ()),
    "wide": (
        (
            f"model={{type: mlp, hidden: {list(_WIDE)}}}",
            f"training.epochs={_EPOCHS}",
            f"training.batch_size={_BATCH}",
        ),
        (
            *("--hidden", *map(str, _WIDE)),
            *("--batch", str(_BATCH), "--epochs", str(_EPOCHS)),
        ),
    ),
}


def measure_gpu(bench: Bench, repeats: int) -> Figures:
    """In turn: the first run of each, which compiles, is told apart."""
    figures: Figures = {"repeats": repeats}
    for name, (words, options) in _NETWORKS.items():
        first = bench.bmtrain("training.device=gpu", *words)
        if first["engine"]["device"] != "gpu":
            sys.exit("bench: it was not trained on a GPU")
        runs: dict[str, list[Figures]] = {"gpu": [], "cpu": [], "keras": []}
        for repeat in range(repeats):
            runs["gpu"].append(bench.bmtrain("training.device=gpu", *words))
            runs["cpu"].append(bench.bmtrain("training.device=cpu", *words))
            runs["keras"].append(bench.keras(repeat, *options))
            say(
                f"{name}, repeat {repeat + 1} of {repeats}: "
                + ", ".join(f"{key} {done[-1]['whole_s']:.1f} s" for key, done in runs.items())
            )
        figures[name] = {
            "gpu": first["engine"]["gpu"],
            "first_run_s": first["whole_s"],
            "epoch_s": {key: epoch_s(done) for key, done in runs.items()},
            "whole_s": {key: middle(done, "whole_s") for key, done in runs.items()},
            "accuracy": {key: middle(done, "test_accuracy") for key, done in runs.items()},
            "energy": runs["gpu"][-1]["cost"]["energy_of_start"],
            "runs": {"first": first, **runs},
        }
    return figures
