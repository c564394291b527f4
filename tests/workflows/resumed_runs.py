"""What two runs must have in common, bit for bit."""

import json
from pathlib import Path


def bits(path, summary):
    """Weights, optimizer, log without times, and the figures."""
    files = [
        (path / "checkpoints" / Path(summary[which]).name / name).read_bytes()
        for which in ("checkpoint", "best_checkpoint")
        for name in ("model.safetensors", "optimizer.safetensors")
    ]
    return files, summary["metrics"], summary["steps_completed"]


def log_but_times(path):
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "time"} for line in lines]
