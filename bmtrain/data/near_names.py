"""What a name was meant to be, among names that data has: classes, columns, files."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# Each comparison takes microseconds; more names would be a pause before a message.
_MAX_COMPARED = 1000


def same_but_for_case(name: str, names: Iterable[str]) -> str | None:
    """The other name that differs from ``name`` in case and spaces around it alone."""
    wanted = _folded(name)
    return next((known for known in names if known != name and _folded(known) == wanted), None)


def nearest_name(name: str, names: Iterable[str]) -> str | None:
    """The name that ``name`` most likely means, case aside; None if none is near."""
    known = list(names)
    if (same := same_but_for_case(name, known)) is not None:
        return same
    by_folded = {_folded(other): other for other in known[:_MAX_COMPARED]}
    near = get_close_matches(_folded(name[:200]), by_folded, n=1)
    return by_folded[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """A hint, or None if no name is near."""
    near = nearest_name(name, names)
    return None if near is None else f"did you mean {near!r}?"


def _folded(name: str) -> str:
    return name.strip().casefold()
