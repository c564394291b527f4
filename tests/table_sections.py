"""``data:`` sections of tables, for tests of their readers."""

from __future__ import annotations

from typing import Any

from bmtrain.config.sections.data import DataSection


def of_table(
    label: str | None, features: tuple[str, ...] | None = None, **keys: Any
) -> DataSection:
    """A section with ``label`` and ``features``; its source is not looked at."""
    return DataSection(source="./table.csv", label=label, features=features, **keys)
