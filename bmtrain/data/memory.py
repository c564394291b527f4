"""How much memory data may take, asked before anything is allocated."""

from __future__ import annotations

import os
from pathlib import Path

from bmtrain.errors import DataError

_MEMINFO = Path("/proc/meminfo")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def available_memory() -> int:
    """Bytes that can be allocated without swapping, as far as the system tells."""
    limits = [limit for limit in (_from_meminfo(), _from_cgroup()) if limit is not None]
    return min(limits) if limits else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def require_memory(num_bytes: int, *, where: str) -> None:
    """DataError if ``num_bytes`` are more than the memory that is available."""
    available = available_memory()
    if num_bytes > available:
        raise DataError(
            f"needs {megabytes(num_bytes)} of memory; {megabytes(available)} are available",
            where=where,
            hint="a damaged or hostile file can claim any size; check where it comes from",
        )


def megabytes(num_bytes: int) -> str:
    """``num_bytes`` in the largest fitting unit, for messages."""
    if num_bytes < 10**6:
        return f"{num_bytes:,} bytes"
    return f"{num_bytes / 1e6:,.0f} MB"


def _from_meminfo() -> int | None:
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _from_cgroup() -> int | None:
    try:
        text = _CGROUP_LIMIT.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
