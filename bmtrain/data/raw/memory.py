"""Memory that data may take, asked before anything is allocated."""

from __future__ import annotations

from bmtrain.errors import DataError
from bmtrain.machine import available_memory


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
    """``num_bytes`` in a unit that fits, for messages."""
    if num_bytes < 10**6:
        return f"{num_bytes:,} bytes"
    if num_bytes < 10**10:
        return f"{num_bytes / 1e6:,.0f} MB"
    return f"{num_bytes / 1e9:,.0f} GB"
