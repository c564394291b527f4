"""What a name was meant to be, among names that data has: classes, columns, files."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

from bmtrain.data.wording.quoting import quoted

# Comparing takes microseconds for each name and time by the square of the lengths; more would
# be a pause before a message.
_MAX_COMPARED = 1000
_MAX_COMPARED_LETTERS = 100


def same_but_for_case(name: str, names: Iterable[str]) -> str | None:
    """The other name that differs from ``name`` in case and spaces around it alone."""
    wanted = _folded(name)
    return next((known for known in names if known != name and _folded(known) == wanted), None)


def nearest_name(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The name that ``name`` most likely means, case aside; None if none is near.

    ``cutoff``: the least likeness, by ``difflib``'s ratio from 0 to 1.
    """
    known = list(names)
    if (same := same_but_for_case(name, known)) is not None:
        return same
    if len(name) > _MAX_COMPARED_LETTERS:
        return None
    comparable = (other for other in known if len(other) <= _MAX_COMPARED_LETTERS)
    by_folded = {_folded(other): other for other in islice(comparable, _MAX_COMPARED)}
    near = get_close_matches(_folded(name), by_folded, n=1, cutoff=cutoff)
    return by_folded[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """A hint, or None if no name is near."""
    near = nearest_name(name, names, cutoff=cutoff)
    return None if near is None else f"did you mean {quoted(near)}?"


def _folded(name: str) -> str:
    return name.strip().casefold()
