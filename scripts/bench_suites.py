"""What ``scripts/bench`` measures: speed, accuracy, start-up."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench_commands import BMTRAIN, CONFIGS, Bench, Figures

BROKEN_CONFIG = "name: broken\ndata: {source: mnist}\noptimizer: {name: adam, learning_rte: 1}\n"

TINY = """\
name: tiny
data: {source: ./tiny.npz}
model: {type: mlp, hidden: [16]}
loss: sparse_categorical_crossentropy
optimizer: {name: adam, learning_rate: 0.0005}
training: {epochs: 2000, batch_size: full}
"""


def say(text: str) -> None:
    """Show progress."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def middle(runs: Sequence[Figures], key: str) -> float:
    """The median over runs."""
    return float(statistics.median(run[key] for run in runs))


def epoch_s(runs: Sequence[Figures]) -> float:
    """The median over runs of each run's median of epochs 2 to 5."""
    return float(statistics.median(statistics.median(run["epoch_s"][1:]) for run in runs))


def measure_speed(bench: Bench, repeats: int) -> tuple[Figures, list[Figures]]:
    """Both in turn; returns the figures and Keras's runs (seed 0, 1, …)."""
    say("bmtrain, its first run")
    first = bench.bmtrain()
    ours: list[Figures] = []
    theirs: list[Figures] = []
    products: list[float] = []
    for repeat in range(repeats):
        ours.append(bench.bmtrain())
        theirs.append(bench.keras(seed=repeat))
        products.append(bench.products_epoch_s())
        say(
            f"repeat {repeat + 1} of {repeats}: bmtrain {ours[-1]['whole_s']:.1f} s, "
            f"Keras {theirs[-1]['whole_s']:.1f} s"
        )
    for key in ("steps", "parameters"):
        counts = {run[key] for run in (first, *ours, *theirs)}
        if len(counts) != 1:
            sys.exit(f"bench: the {key} differ: {sorted(counts)}")
    figures = {
        "repeats": repeats,
        "steps": first["steps"],
        "epoch_s": {"bmtrain": epoch_s(ours), "keras": epoch_s(theirs)},
        "epoch_ratio": epoch_s(theirs) / epoch_s(ours),
        "products_epoch_s": statistics.median(products),
        "products_ratio": epoch_s(theirs) / statistics.median(products),
        "whole_s": {"bmtrain": middle(ours, "whole_s"), "keras": middle(theirs, "whole_s")},
        "whole_ratio": middle(theirs, "whole_s") / middle(ours, "whole_s"),
        "first_run_s": first["whole_s"],
        "first_run_ratio": middle(theirs, "whole_s") / first["whole_s"],
        "peak_gb": {
            "bmtrain": max(run["peak_bytes"] for run in (first, *ours)) / 1e9,
            "keras": max(run["peak_bytes"] for run in theirs) / 1e9,
        },
        "runs": {"bmtrain_first": first, "bmtrain": ours, "keras": theirs},
    }
    return figures, theirs


def spread(accuracies: Sequence[float]) -> Figures:
    """Mean, standard deviation, extremes."""
    return {
        "mean": statistics.fmean(accuracies),
        "sd": statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
        "min": min(accuracies),
        "max": max(accuracies),
        "each": list(accuracies),
    }


def measure_accuracy(
    bench: Bench, seeds: Sequence[int], keras_seeds: Sequence[int], known: Sequence[Figures]
) -> Figures:
    """Test accuracy over seeds; ``known`` are Keras's runs of seeds 0, 1, … so far."""
    ours = []
    for seed in seeds:
        ours.append(bench.bmtrain(f"seed={seed}")["test_accuracy"])
        say(f"bmtrain, seed {seed}: {ours[-1]:.4f}")
    theirs = []
    for seed in keras_seeds:
        run = known[seed] if seed < len(known) else bench.keras(seed)
        theirs.append(run["test_accuracy"])
        say(f"Keras, seed {seed}: {theirs[-1]:.4f}")
    bmtrain, keras = spread(ours), spread(theirs)
    difference = bmtrain["mean"] - keras["mean"]
    noise = None  # one seed says nothing about it
    if len(ours) > 1 and len(theirs) > 1:
        noise = (bmtrain["sd"] ** 2 / len(ours) + keras["sd"] ** 2 / len(theirs)) ** 0.5
    return {
        "seeds": {"bmtrain": list(seeds), "keras": list(keras_seeds)},
        "bmtrain": bmtrain,
        "keras": keras,
        "difference": difference,
        "standard_error": noise,
        "within_seed_noise": None if noise is None else abs(difference) <= 2 * noise,
    }


def tiny_config(directory: Path) -> Path:
    """200 examples in full batches: 2,000 epochs of under a millisecond, each better than the last."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(240, 10)).astype(np.float32)
    labels = (inputs @ random.normal(size=(10, 3))).argmax(axis=1)
    parts = {"train": slice(0, 200), "validation": slice(200, 240)}
    arrays: Figures = {f"x_{name}": inputs[rows] for name, rows in parts.items()}
    arrays |= {f"y_{name}": labels[rows] for name, rows in parts.items()}
    np.savez(directory / "tiny.npz", **arrays)
    path = directory / "tiny.yaml"
    path.write_text(TINY)
    return path


def measure_saving(bench: Bench, repeats: int) -> Figures:
    """The share of the training time that checkpoints take, the last one at the end apart."""
    shares: Figures = {"repeats": repeats}
    configs = {name: CONFIGS / f"{name}.yaml" for name in ("mnist", "gradient_descent", "mnist_l2")}
    configs["tiny"] = tiny_config(bench.scratch)
    for name, config in configs.items():
        runs = [bench.bmtrain(config=config)["timing"] for _ in range(repeats)]
        shares[name] = statistics.median(run["saving_s"] / run["train_s"] for run in runs)
        say(f"saving, {name}: {shares[name]:.1%}")
    return shares


def measure_startup(bench: Bench, repeats: int) -> Figures:
    """Medians of what a user waits for before anything is trained."""
    broken = bench.scratch / "broken.yaml"
    broken.write_text(BROKEN_CONFIG)
    commands: dict[str, tuple[list[str | Path], int]] = {
        "help_s": ([BMTRAIN, "--help"], 0),
        "train_help_s": ([BMTRAIN, "train", "--help"], 0),
        "config_error_s": ([BMTRAIN, "train", broken], 2),
    }
    figures: Figures = {"repeats": repeats}
    for name, (command, exit_code) in commands.items():
        bench.run(command, expected=(exit_code,))  # the files are read and compiled once
        times = [bench.run(command, expected=(exit_code,)).seconds for _ in range(repeats)]
        figures[name] = statistics.median(times)
        say(f"{name}: {figures[name]:.3f}")
    figures["first_line_s"] = statistics.median(bench.first_line_s() for _ in range(3))
    return figures
