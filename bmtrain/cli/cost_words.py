"""What a training took, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmtrain.figures import amount, duration


def cost_in_words(cost: Mapping[str, Any]) -> str:
    """``68.6 TFLOP, 194,321 examples/s, 893 MB, 8.1 s of CPU time, energy unavailable``."""
    parts = [amount(cost["flops"], "FLOP")]
    if cost["examples_per_s"] is not None:
        parts.append(f"{cost['examples_per_s']:,.0f} examples/s")
    parts.append(f"{amount(cost['peak_memory_bytes'], 'B')} of memory")
    if cost["peak_gpu_memory_bytes"] is not None:
        parts.append(f"{amount(cost['peak_gpu_memory_bytes'], 'B')} of the GPU's")
    parts.append(f"{duration(cost['cpu_s_of_start'])} of CPU time")
    energy = cost["energy_of_start"]
    joules = [(energy[f"{name}_j"], name) for name in ("processor", "gpu")]
    told = [f"{amount(number, 'J')} ({name})" for number, name in joules if number is not None]
    return ", ".join([*parts, *(told or ["energy unavailable"])])
