"""What ``scripts/bench --suite ablation`` measures: what each part of configs/mnist_best.yaml gained.

The config as it is, then without one part, then without any: the test accuracies over seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from typing import Final

from bench_commands import CONFIGS, Bench, Figures
from bench_suites import spread

BEST: Final = CONFIGS / "mnist_best.yaml"

#: What the config has beyond the reference experiment -> the overrides that take it out.
PARTS: Final = {
    "augmentation": ("training.augmentation=null",),
    "schedule": ("optimizer.learning_rate=0.001",),
    "EMA": ("optimizer.use_ema=null", "optimizer.ema_momentum=null"),
    "label smoothing": ("loss.label_smoothing=null",),
}


def variants() -> dict[str, tuple[str, ...]]:
    """What is left -> the overrides that leave it."""
    without = {f"without {part}": overrides for part, overrides in PARTS.items()}
    return {"whole": (), **without, "without all": tuple(chain(*PARTS.values()))}


def measure_ablation(bench: Bench, seeds: Sequence[int]) -> Figures:
    """For each variant the spread of its test accuracy, and what the whole config has beyond it."""
    each: dict[str, list[float]] = {name: [] for name in variants()}
    for seed in seeds:
        for name, overrides in variants().items():
            run = bench.bmtrain(f"seed={seed}", *overrides, config=BEST)
            each[name].append(run["test_accuracy"])
            print(
                f"bench: {name}, seed {seed}: {run['test_accuracy']:.4f} "
                f"in {run['whole_s']:.0f} s, {run['cost']['cpu_s_of_start']:.0f} s of processor time",
                file=sys.stderr,
                flush=True,
            )
    figures = {name: spread(accuracies) for name, accuracies in each.items()}
    for figure in figures.values():
        figure["gained"] = figures["whole"]["mean"] - figure["mean"]
    return {"seeds": list(seeds), **figures}
