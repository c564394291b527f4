"""Nested documents as dotted keys: ``model.layers.0.units``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flattened(document: Any, key: str = "") -> dict[str, Any]:
    """Dotted key -> value; a list of scalars is one value, a tuple is a list."""
    if isinstance(document, Mapping) and document:
        items = [(str(name), value) for name, value in document.items()]
    elif isinstance(document, list | tuple) and any(isinstance(v, Mapping) for v in document):
        items = [(str(index), value) for index, value in enumerate(document)]
    else:
        return {key: list(document) if isinstance(document, tuple) else document}
    found: dict[str, Any] = {}
    for name, value in items:
        found |= flattened(value, f"{key}.{name}" if key else name)
    return found
