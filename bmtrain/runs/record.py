"""``run.json``: what ran, where, with which versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from bmtrain.durable import write_bytes
from bmtrain.runs.metrics_log import finite

PACKAGES = ("bmtrain-keras", "tensorflow", "keras", "numpy", "polars", "pydantic", "safetensors")
_GIT_TIMEOUT_S = 2.0


def environment_facts(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """Python, platform, processor and package versions, without importing any of them.

    What the machine does not tell is None; it never fails.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": _num_cores(),
        "memory_bytes": _memory_bytes(),
        "packages": {name: _version(name) for name in packages},
    }


def git_facts(directory: Path) -> dict[str, Any] | None:
    """The commit of the repository around ``directory`` and whether tracked files differ from it.

    ``{"commit", "dirty"}``; None without git, a repository or a commit, or if git takes
    longer than two seconds.
    """
    command = [
        "git",
        # Whose repository it is is not known: nothing that its config names is run.
        *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
        *("status", "--porcelain=v2", "--branch", "--untracked-files=no"),
    ]
    try:
        answer = subprocess.run(  # noqa: S603  # a fixed command, no shell
            command,
            cwd=directory,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.decode(errors="replace").splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), None)
    if commit is None or commit == "(initial)":
        return None
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replaces ``path`` by the document, whole or not at all; NaN and infinities become null.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    text = json.dumps(finite(document), indent=2, allow_nan=False, ensure_ascii=False)
    write_bytes(path, f"{text}\n".encode(errors="backslashreplace"))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or None


def _num_cores() -> int | None:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
