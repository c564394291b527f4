"""The environment of a run: versions, machine; and JSON documents about runs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from bmtrain import strict_json
from bmtrain.durable import environment_fault, write_bytes
from bmtrain.errors import BmtrainError, CheckpointError
from bmtrain.machine import num_processors, processor_name
from bmtrain.regular_files import NotRegular, open_regular
from bmtrain.runs.metrics_log import finite

PACKAGES = ("bmtrain-keras", "tensorflow", "keras", "numpy", "polars", "pydantic", "safetensors")


def environment_facts(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """Python, platform, processor and package versions, without importing any of them.

    What the machine does not tell is None; it never fails.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "cores": num_processors(),
        "memory_bytes": _memory_bytes(),
        "packages": {name: _version(name) for name in packages},
    }


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Replaces ``path`` by the document, whole or not at all; NaN and infinities become null.

    Raises:
        EnvironmentFault: it cannot be written.
    """
    text = json.dumps(finite(document), indent=2, allow_nan=False)
    write_bytes(path, f"{text}\n".encode("ascii"), links=False)


def read_json(path: Path) -> dict[str, Any]:
    """A document that ``write_json`` wrote; empty where there is no such one, or it is too large."""
    try:
        return require_json(path)
    except BmtrainError:
        return {}


def require_json(path: Path) -> dict[str, Any]:
    """The same; empty only where there is no file.

    Raises:
        CheckpointError: it is damaged, or no regular file. EnvironmentFault: it cannot be read.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            document = strict_json.decode(file.read(strict_json.MAX_BYTES + 1))
            strict_json.require(isinstance(document, dict), "not a document")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise environment_fault(error, path, "read") from None
    except (ValueError, NotRegular) as error:
        raise CheckpointError(f"damaged: {error}", where=str(path)) from None
    assert isinstance(document, dict)
    return document


@cache  # run.json is written more than once, and each look reads the package's whole description
def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
