"""The commands that ``scripts/bench`` measures, and the machine it measures on.

Nothing heavy is imported: on Linux a child's peak memory counts from its parent's.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BMTRAIN = Path(sys.executable).with_name("bmtrain")
CONFIGS = ROOT / "configs"
REFERENCE = CONFIGS / "mnist.yaml"
KERAS_SCRIPT = ROOT / "scripts" / "bench_keras.py"
PRODUCTS_SCRIPT = ROOT / "scripts" / "bench_products.py"

Figures = dict[str, Any]


@dataclass(frozen=True)
class Finished:
    """How one command ended and what it took."""

    seconds: float
    peak_bytes: int
    exit_code: int
    stdout: str
    stderr: str


class Bench:
    """Runs commands in one scratch folder, with caches and homes of its own."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.num_runs = 0
        self.environment = {
            **os.environ,
            "KERAS_BACKEND": "tensorflow",
            "KERAS_HOME": str(scratch / "keras"),
            "XDG_CACHE_HOME": str(scratch / "cache"),
        }
        # It would have bmtrain's sources compiled again at each start.
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(self, command: Sequence[str | Path], *, expected: Iterable[int] = (0,)) -> Finished:
        """Run one command to its end; an unexpected exit code ends the benchmark."""
        with (
            tempfile.TemporaryFile("w+", dir=self.scratch) as out,
            tempfile.TemporaryFile("w+", dir=self.scratch) as err,
        ):
            began = time.perf_counter()
            process = subprocess.Popen(
                command, stdout=out, stderr=err, cwd=self.scratch, env=self.environment
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
            ended = Finished(
                seconds, usage.ru_maxrss * unit, process.returncode, out.read(), err.read()
            )
        if ended.exit_code not in expected:
            words = " ".join(str(word) for word in command)
            sys.exit(f"bench: {words}: exit code {ended.exit_code}\n{ended.stdout}{ended.stderr}")
        return ended

    def bmtrain(self, *overrides: str, config: Path = REFERENCE) -> Figures:
        """Train a config, the reference experiment if not told otherwise."""
        self.num_runs += 1
        run_dir = self.scratch / f"run-{self.num_runs}"
        command: list[str | Path] = [
            BMTRAIN,
            "train",
            config,
            *overrides,
            "--run-dir",
            run_dir,
            "--json",
        ]
        ended = self.run(command, expected=(0, 4))  # a missed expectation is a figure too
        summary = json.loads(ended.stdout)
        return {
            "epoch_s": summary["timing"]["epoch_s"],
            "timing": summary["timing"],
            "engine": summary["engine"],
            "cost": summary["cost"],
            "steps": summary["steps_completed"],
            "parameters": summary["parameters"],
            "test_accuracy": summary["metrics"].get("test", {}).get("accuracy"),
            "whole_s": ended.seconds,
            "peak_bytes": ended.peak_bytes,
        }

    def keras(self, seed: int, *options: str) -> Figures:
        """Train the same with ``keras.Model.fit``."""
        result = self.scratch / "keras.json"
        ended = self.run([sys.executable, KERAS_SCRIPT, result, "--seed", str(seed), *options])
        figures: Figures = json.loads(result.read_text())
        return {**figures, "whole_s": ended.seconds, "peak_bytes": ended.peak_bytes}

    def products_epoch_s(self, case: str = "reference") -> float:
        """Seconds of the products and convolutions of an epoch, alone."""
        result = self.scratch / "products.json"
        self.run([sys.executable, PRODUCTS_SCRIPT, result, case])
        figures: Figures = json.loads(result.read_text())
        return float(figures["epoch_s"])

    def first_line_s(self) -> float:
        """Seconds from the start of ``train`` until it says its first line."""
        self.num_runs += 1
        run_dir = self.scratch / f"run-{self.num_runs}"
        began = time.perf_counter()
        with subprocess.Popen(
            [BMTRAIN, "train", REFERENCE, "--run-dir", run_dir],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.scratch,
            env=self.environment,
        ) as process:
            assert process.stderr is not None
            process.stderr.readline()
            seconds = time.perf_counter() - began
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
        return seconds


def machine() -> Figures:
    """Describe what was measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next(
            (line.split(": ")[1] for line in lines if line.startswith("model name")), model
        )
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"],  # noqa: S607  # whichever git there is
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("tensorflow", "keras", "numpy", "bmtrain-keras")},
        "commit": commit.stdout.strip() or None,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
