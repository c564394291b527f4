"""Processor, memory, GPU, as the system tells. No TensorFlow."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator
from typing import Any, Final

from bmtrain.figures import amount, count
from bmtrain.machine import (
    available_memory,
    gpu_facts,
    gpu_names,
    hides_gpus,
    may_have_gpu,
    num_processors,
    processor_flags,
    processor_name,
    processor_quota,
)
from bmtrain.workflows.diagnosis.finding import Examined, Finding

#: Of x86 processors, in the order in which they came; each is about twice as fast as the former.
_VECTORS: Final = ("avx", "avx2", "avx512f")
_TOLD_FLAGS: Final = (*_VECTORS, "fma", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "sve")
#: TensorFlow's import alone takes 0.55 GB, the reference training 0.89.
_LEAST_MEMORY: Final = 10**9
_SMALL_MEMORY: Final = 2 * 10**9
#: A checkpoint, a log, streamed files, TensorFlow's own.
_LEAST_FILES: Final = 256


def vector_class() -> str:
    """``avx512``, ``avx2``, ``avx``, ``baseline`` (x86 without), ``arm64`` or ``unknown``."""
    if platform.machine().lower() in {"arm64", "aarch64"}:
        return "arm64"
    flags = processor_flags()
    if not flags or platform.machine().lower() not in {"x86_64", "amd64"}:
        return "unknown"
    if "avx512f" in flags:
        return "avx512"
    if {"avx2", "fma"} <= flags:
        return "avx2"
    return "avx" if "avx" in flags else "baseline"


def examine_hardware() -> Examined:
    """What the processor can, how much of it and of the memory is there, which GPU."""
    memory = available_memory()
    facts: dict[str, Any] = {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "features": [flag for flag in _TOLD_FLAGS if flag in processor_flags()],
        "vector_class": vector_class(),
        "processors": num_processors(),
        "processor_quota": processor_quota(),
        "load": _load(),
        "available_memory_bytes": memory,
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "gpus": list(gpu_names()),
        "gpu_driver": next((line for line in gpu_facts() if line.startswith("NVRM")), None),
    }
    findings = [
        Finding("ok", facts["platform"]),
        _vectors(facts),
        *_processors(facts),
        _memory(memory),
        *_files(facts["open_files"]),
        _gpu(),
    ]
    return Examined("machine", tuple(findings), facts)


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _vectors(facts: dict[str, Any]) -> Finding:
    name = facts["processor"] or "a processor without a name"
    features = ", ".join(facts["features"]) or "none that is told"
    said = f"{name}; vector instructions: {features}"
    match facts["vector_class"]:
        case "baseline":
            remedy = "use another machine, or a TensorFlow that was built for this processor"
            return Finding("problem", f"{said}; TensorFlow's wheels need AVX", remedy)
        case "avx":
            remedy = "nothing is wrong, but a newer processor is several times as fast"
            return Finding("warning", f"{said}; AVX2 and FMA are missing", remedy)
        case _:
            return Finding("ok", said)


def _processors(facts: dict[str, Any]) -> Iterator[Finding]:
    number, quota, load = facts["processors"], facts["processor_quota"], facts["load"]
    if quota is not None and quota < number - 0.5:
        threads = max(1, round(quota))
        yield Finding(
            "warning",
            f"{count(number, 'processor')}, of whose time this container gets that of {quota:.1f}: "
            "more threads than that wait for each other",
            f"write training.threads: {threads}, or give the container whole processors",
        )
    else:
        yield Finding(
            "ok", f"{count(number, 'processor')}, so many threads under training.threads: auto"
        )
    if load is not None and load > number + 0.5:
        yield Finding(
            "note",
            f"other programs are at work: load {load:.1f} on {count(number, 'processor')}; "
            "trainings take longer meanwhile",
        )


def _memory(available: int) -> Finding:
    said = f"{amount(available, 'B')} of memory available"
    if available < _LEAST_MEMORY:
        return Finding(
            "problem",
            f"{said}; TensorFlow and a small model take {amount(_LEAST_MEMORY, 'B')}",
            "close other programs, or give the container more (docker run --memory)",
        )
    if available < _SMALL_MEMORY:
        return Finding("warning", f"{said}: enough for small models alone", "close other programs")
    return Finding("ok", said)


def _files(limit: int) -> Iterator[Finding]:
    if 0 <= limit < _LEAST_FILES:
        remedy = f"ulimit -n {_LEAST_FILES}, or more"
        yield Finding("warning", f"only {limit} files may be open at once", remedy)


def _gpu() -> Finding:
    if not may_have_gpu():
        return Finding("note", "no NVIDIA GPU (/dev/nvidiactl is not there): the processor is used")
    named = ", ".join(gpu_names()) or "a GPU whose driver does not tell its name"
    if hides_gpus():
        return Finding("note", f"{named}, hidden by CUDA_VISIBLE_DEVICES", "unset it to use it")
    return Finding("ok", named)
