"""What ``scripts/bench --suite data`` measures: examples that are streamed from their files.

Speed: the reference experiment on MNIST as .npy files, resident and streamed in turn; and an
epoch of a large set, streamed. Memory: the most anonymous memory (RssAnon) of that epoch's whole
command, less what the command on MNIST has when its model is built.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench_commands import BMTRAIN, REFERENCE, Bench, Figures
from bmtrain.config.sections.data import DataSection
from bmtrain.data.load import load_dataset

_BLOCK = 100_000


def measure_data(bench: Bench, repeats: int, num_bytes: int) -> Figures:
    """The figures; the sets are made in the scratch folder, and removed at the end of it."""
    small, large = bench.scratch / "mnist", bench.scratch / "large"
    _write_sets(small, large, num_bytes)
    runs: dict[str, list[Figures]] = {"resident": [], "stream": []}
    for repeat in range(repeats):
        for storage, done in runs.items():
            overrides = (f"data.source={small}", f"data.storage={storage}", "expect=[]")
            done.append(bench.bmtrain(*overrides))
        seconds = ", ".join(f"{name} {done[-1]['whole_s']:.1f} s" for name, done in runs.items())
        _say(f"repeat {repeat + 1} of {repeats}: {seconds}")
    epoch_s = {name: _epoch_s(done) for name, done in runs.items()}
    start = _watched(bench, small, "resident")
    whole = _watched(bench, large, "stream")
    return {
        "repeats": repeats,
        "epoch_s": epoch_s,
        "speed_ratio": epoch_s["resident"] / epoch_s["stream"],
        "large_bytes": (large / "x_train.npy").stat().st_size,
        "large_examples_per_s": whole["examples_per_s"],
        "start_up_anonymous_mb": start["built_bytes"] / 1e6,
        "peak_anonymous_mb": whole["peak_bytes"] / 1e6,
        "anonymous_over_start_up_mb": (whole["peak_bytes"] - start["built_bytes"]) / 1e6,
    }


def _write_sets(small: Path, large: Path, num_bytes: int) -> None:
    """MNIST; and its training pictures again and again, each time others in noise."""
    mnist = load_dataset(DataSection(source="mnist"), task="classification", seed=0).splits
    for directory in (small, large):
        directory.mkdir()
    for name, split in mnist.items():
        np.save(small / f"x_{name}.npy", split.array)
        np.save(small / f"y_{name}.npy", split.labels.astype(np.uint8))
    pictures, labels = mnist["train"].array, mnist["train"].labels
    num_rows = num_bytes // pictures[0].nbytes
    random = np.random.default_rng(0)
    written = np.lib.format.open_memmap(
        large / "x_train.npy", "w+", np.uint8, (num_rows, *pictures.shape[1:])
    )
    all_labels = np.empty(num_rows, np.uint8)
    for start in range(0, num_rows, _BLOCK):
        rows = random.integers(0, len(pictures), min(_BLOCK, num_rows - start))
        noise = random.integers(0, 16, (len(rows), *pictures.shape[1:]), np.uint8)
        written[start : start + len(rows)] = pictures[rows] | noise
        all_labels[start : start + len(rows)] = labels[rows]
    written.flush()
    np.save(large / "y_train.npy", all_labels)
    _say(f"a set of {num_rows:,} pictures, {num_bytes / 1e9:.1f} GB, is made")


def _watched(bench: Bench, source: Path, storage: str) -> Figures:
    """One epoch; the anonymous memory at its most, and when the model was built."""
    bench.num_runs += 1
    run_dir = bench.scratch / f"run-{bench.num_runs}"
    words = (f"data.source={source}", f"data.storage={storage}", "training.epochs=1", "expect=[]")
    command: list[str | Path] = [
        BMTRAIN,
        "train",
        REFERENCE,
        *words,
        "--run-dir",
        run_dir,
        "--json",
    ]
    output = bench.scratch / "watched.json"
    peak, built = 0, None
    with output.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.DEVNULL, cwd=bench.scratch, env=bench.environment
        )
        while process.poll() is None:
            now = _anonymous_bytes(process.pid)
            peak = max(peak, now)
            if built is None and (run_dir / "run.json").exists():
                built = now
            time.sleep(0.01)
    summary = json.loads(output.read_text())
    if process.returncode != 0 or built is None:
        sys.exit(f"bench: {' '.join(map(str, command))}: {summary['error']}")
    rate = summary["cost"]["examples_per_s"]
    _say(f"{storage}, {source.name}: {rate:,.0f} examples/s, {peak / 1e6:,.0f} MB at most")
    return {"peak_bytes": peak, "built_bytes": built, "examples_per_s": rate}


def _anonymous_bytes(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    found = (line.split()[1] for line in lines if line.startswith("RssAnon"))
    return int(next(found, "0")) * 1024


def _epoch_s(runs: Sequence[Figures]) -> float:
    return float(statistics.median(statistics.median(run["epoch_s"][1:]) for run in runs))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
