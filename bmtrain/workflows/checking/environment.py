"""The machine, the packages, and the place where the run would go. No TensorFlow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bmtrain.config.load import LoadedConfig
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.checks.finding import Finding, Level
from bmtrain.engine.compile_cache import describe_compile_cache
from bmtrain.figures import amount, count
from bmtrain.machine import available_memory, gpu_names, hides_gpus, may_have_gpu
from bmtrain.models.memory import checkpoint_bytes
from bmtrain.runs.directory import planned_run_dir
from bmtrain.runs.environment import environment_facts
from bmtrain.workflows.checking.section import Section, placed
from bmtrain.workflows.preparation import Prepared
from bmtrain.workflows.tracking.mlflow_run import missing_of_mlflow

_PACKAGES = ("tensorflow", "keras", "numpy")


def environment_section(loaded: LoadedConfig, prepared: Prepared | None) -> Section:
    """What can be told of the environment; the size of checkpoints where the model is known."""
    experiment = loaded.experiment
    facts = environment_facts(_PACKAGES)
    runs = planned_run_dir(experiment.name).parent.absolute()
    stored = None
    if prepared is not None:
        stored = checkpoint_bytes(prepared.architecture, experiment.optimizer)
    cache, cache_is_used = describe_compile_cache()
    facts |= {
        "available_memory_bytes": available_memory(),
        "gpu_driver": may_have_gpu(),
        "device": experiment.training.device,
        "threads": _num_threads(experiment, facts["cores"]),
        "compilation_cache": cache,
        "runs": str(runs),
    }
    findings = [
        *_packages(facts),
        _machine(facts),
        *_threads(experiment, facts["cores"]),
        _device(experiment),
        *_trackers(experiment),
        *_disk(runs, stored, experiment.training.checkpoint.keep),
        Finding(
            "ok" if cache_is_used or cache.startswith("off (") else "warning",
            f"compilation cache: {cache}",
        ),
    ]
    found = placed(findings, loaded.origins)
    return Section(title="environment", findings=found, facts=facts, exit_code=6)


def _packages(facts: dict[str, Any]) -> Iterator[Finding]:
    versions = facts["packages"]
    missing = [name for name in _PACKAGES if versions[name] is None]
    if missing:
        yield Finding("error", f"not installed: {', '.join(missing)}; install bmtrain anew")
        return
    named = ("TensorFlow", "Keras", "NumPy")
    listed = [f"{name} {versions[key]}" for name, key in zip(named, _PACKAGES, strict=True)]
    yield Finding("ok", ", ".join([f"Python {facts['python']}", *listed]))


def _machine(facts: dict[str, Any]) -> Finding:
    total = facts["memory_bytes"]
    of_all = f" of {amount(total, 'B')}" if total else ""
    memory = f"{amount(facts['available_memory_bytes'], 'B')}{of_all} of memory available"
    name = f" ({facts['processor']})" if facts["processor"] else ""
    return Finding("ok", f"{count(facts['cores'], 'processor')}{name}, {memory}")


def _num_threads(experiment: ExperimentConfig, cores: int) -> int:
    threads = experiment.training.threads
    return cores if threads == "auto" else threads


def _threads(experiment: ExperimentConfig, cores: int) -> Iterator[Finding]:
    threads = _num_threads(experiment, cores)
    if threads > cores:
        yield Finding(
            "warning",
            f"{threads} threads on {count(cores, 'processor')} wait for each other; "
            "training.threads: auto takes as many as there are",
            ("training", "threads"),
        )
    else:
        wish = experiment.training.threads
        yield Finding("ok", f"{count(threads, 'thread')} (training.threads: {wish})")


def _device(experiment: ExperimentConfig) -> Finding:
    device, key = experiment.training.device, ("training", "device")
    if device == "cpu":
        return Finding("ok", "device: CPU, as the config has it")
    if may_have_gpu():
        if hides_gpus() and device == "gpu":
            return Finding("error", "no GPU: CUDA_VISIBLE_DEVICES hides every GPU; unset it", key)
        if hides_gpus():
            return Finding("ok", "device: CPU, CUDA_VISIBLE_DEVICES hides every GPU")
        if names := gpu_names():
            return Finding("ok", f"device: {names[0]}, if TensorFlow can use it")
        return Finding("ok", "device: a GPU, if TensorFlow can use the one that the driver shows")
    if device == "gpu":
        return Finding(
            "error",
            "no GPU: the kernel driver shows no NVIDIA device (/dev/nvidiactl is not there); "
            "write training.device: auto or cpu",
            key,
        )
    return Finding("ok", "device: CPU, the driver shows no GPU")


def _trackers(experiment: ExperimentConfig) -> Iterator[Finding]:
    missing = missing_of_mlflow(experiment.track)
    if missing is not None:
        yield Finding("error", "; ".join(missing), ("track", "mlflow"))


def _disk(runs: Path, stored: int | None, keep: int) -> Iterator[Finding]:
    """Room for the checkpoints that stay, the best one, and the one that is being written."""
    place = next((path for path in (runs, *runs.parents) if path.exists()), Path("/"))
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        what = "not writable" if place.is_dir() else "no directory"
        message = f"runs go to {runs}, and {place} is {what}; BMTRAIN_RUNS names another place"
        yield Finding("error", message)
        return
    free = shutil.disk_usage(place).free
    room = f"runs go to {runs}: {amount(free, 'B')} free"
    if stored is None:
        yield Finding("ok", room)
        return
    most = keep + 2
    need = f"a checkpoint takes about {amount(stored, 'B')}, at most {most} are there at once"
    if most * stored <= free:
        yield Finding("ok", f"{room}; {need}")
    else:
        remedy = "free some space, or have BMTRAIN_RUNS name another place"
        level: Level = "error" if stored > free else "warning"
        yield Finding(level, f"{room}, and {need}; {remedy}")
