"""What the documents of ``train --json`` have: the same keys however a training ends."""

from __future__ import annotations

from typing import Final

#: Of every training; what is not known when it ends is null.
TRAIN: Final = (
    "schema_version",
    "status",
    "exit_code",
    "error",
    "diagnostics",
    "name",
    "run_dir",
    "checkpoint",
    "best_checkpoint",
    "evaluated_checkpoint",
    "evaluated",
    "epochs_completed",
    "steps_completed",
    "parameters",
    "metrics",
    "expectations",
    "timing",
    "engine",
    "peak_memory_bytes",
    "cost",
)
#: Of ``train --find-lr``.
FIND_LR: Final = (
    "schema_version",
    "status",
    "exit_code",
    "error",
    "diagnostics",
    "run_dir",
    "config",
    "key",
    "suggestion",
    "rule",
    "curve",
    "total_s",
)
#: Of ``train --smoke``.
SMOKE: Final = (
    "schema_version",
    "status",
    "exit_code",
    "error",
    "diagnostics",
    "steps",
    "first_difference",
    "run_dir",
    "total_s",
)
