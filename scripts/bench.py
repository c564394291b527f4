"""Measure bmtrain against a plain ``keras.Model.fit`` script, on this machine.

speed     the reference experiment, configs/mnist.yaml, and scripts/bench_keras.py, in turn:
          an epoch (median of epochs 2 to 5, the median over repeats of that) and the whole
          command. bmtrain's very first run, with an empty compilation cache, is told apart.
          Beside them an epoch's two large matrix products alone (scripts/bench_products.py):
          what is left of the ratio where nothing else took any time.
accuracy  the test accuracy of both over seeds.
saving    the share of the training time that checkpoints take, in three configs and in one whose
          epochs take under a millisecond.
models    an epoch of an MLP, one with batch normalisation, two CNNs, an LSTM and a transformer,
          against ``keras.Model.fit`` with all its defaults, under both of our engines, and beside
          them their matrix products and convolutions alone.
ablation  the test accuracy of configs/mnist_best.yaml and of what is left of it without each of its
          parts, over seeds; not part of all.
data      examples streamed from their files against resident ones, and the memory that they take.
gpu       where there is one, and not part of all: the reference experiment and a wide network on
          it, on the processor, and with ``keras.Model.fit`` on it.
startup   ``--help``, ``train --help``, a config error, and ``train`` until its first line.

Progress goes to stderr, one JSON document to stdout (or --out): the machine's facts first,
the targets with what was measured last.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench_ablation import measure_ablation
from bench_commands import Bench, Figures, machine
from bench_data import measure_data
from bench_gpu import measure_gpu
from bench_models import measure_models
from bench_suites import measure_accuracy, measure_saving, measure_speed, measure_startup

#: The suites of ``--suite all``.
ALL = ("speed", "accuracy", "saving", "startup", "data", "models")


def targets(report: Figures) -> list[Figures]:
    """What was to be reached, for the suites that ran."""
    speed, accuracy = report.get("speed"), report.get("accuracy")
    saving, startup = report.get("saving"), report.get("startup")
    rows: list[tuple[str, float, bool | None]] = []
    if speed:
        peak = speed["peak_gb"]["bmtrain"]
        rows += [
            ("epoch: Keras / bmtrain >= 15", speed["epoch_ratio"], speed["epoch_ratio"] >= 15),
            (
                "whole command: Keras / bmtrain >= 5",
                speed["whole_ratio"],
                speed["whole_ratio"] >= 5,
            ),
            ("peak memory < 1.1 GB", peak, peak < 1.1),
        ]
    if accuracy:
        ours = accuracy["bmtrain"]
        rows += [
            ("mean test accuracy >= 0.974", ours["mean"], ours["mean"] >= 0.974),
            ("each test accuracy >= 0.970", ours["min"], ours["min"] >= 0.97),
            (
                "mean within seed noise of Keras",
                accuracy["difference"],
                accuracy["within_seed_noise"],
            ),
        ]
    if saving:
        shares = {key: share for key, share in saving.items() if key != "repeats"}
        rows += [
            (f"saving, {name} <= 0.05", share, share <= 0.05) for name, share in shares.items()
        ]
    if startup:
        limits = {"help_s": 0.25, "train_help_s": 0.6, "config_error_s": 0.8, "first_line_s": 0.6}
        rows += [
            (f"{k} <= {limit}", startup[k], startup[k] <= limit) for k, limit in limits.items()
        ]
    if models := report.get("models"):
        ratios = {case: of["epoch_ratio"] for case, of in models.items() if case != "repeats"}
        rows += [
            (f"{case}: Keras's epoch / bmtrain's >= 1", ratio, ratio >= 1)
            for case, ratio in ratios.items()
        ]
    if data := report.get("data"):
        ratio, over = data["speed_ratio"], data["anonymous_over_start_up_mb"]
        rows += [
            ("epoch: resident / streamed >= 0.9", ratio, ratio >= 0.9),
            ("anonymous memory over start-up <= 400 MB", over, over <= 400),
        ]
    return [{"text": text, "value": value, "met": met} for text, value, met in rows]


def seed_range(text: str) -> list[int]:
    """``3`` or ``0-9``."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def measure(bench: Bench, wanted: set[str], options: argparse.Namespace) -> Figures:
    """The figures of the suites that are wanted; the accuracies take Keras's runs of the speed."""
    report: Figures = {}
    keras_runs: list[Figures] = []
    if "startup" in wanted:
        report["startup"] = measure_startup(bench, max(10, options.repeats))
    if "speed" in wanted:
        report["speed"], keras_runs = measure_speed(bench, options.repeats)
    if "saving" in wanted:
        report["saving"] = measure_saving(bench, 3)
    if "models" in wanted:
        report["models"] = measure_models(bench, options.repeats)
    if "data" in wanted:
        report["data"] = measure_data(bench, options.repeats, int(options.data_gb * 1e9))
    if "gpu" in wanted:
        report["gpu"] = measure_gpu(bench, options.repeats)
    if "ablation" in wanted:
        report["ablation"] = measure_ablation(bench, options.seeds)
    if "accuracy" in wanted:
        report["accuracy"] = measure_accuracy(bench, options.seeds, options.keras_seeds, keras_runs)
    return report


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--suite",
        choices=(*ALL, "ablation", "gpu", "all"),
        default="all",
        help="default all",
    )
    parser.add_argument("--repeats", type=int, default=5, help="of each, alternately; default 5")
    parser.add_argument("--seeds", type=seed_range, default="0-9", help="default 0-9")
    parser.add_argument("--keras-seeds", type=seed_range, default="0-4", help="default 0-4")
    parser.add_argument(
        "--data-gb", type=float, default=4.0, help="of the large set that is streamed; default 4"
    )
    parser.add_argument("--out", type=Path, help="write the JSON here instead of to stdout")
    options = parser.parse_args()
    wanted = set(ALL) if options.suite == "all" else {options.suite}
    report: Figures = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="bmtrain-bench-") as scratch:
        report |= measure(Bench(Path(scratch)), wanted, options)
    report["targets"] = targets(report)
    text = json.dumps(report, indent=2) + "\n"
    if options.out:
        options.out.write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
