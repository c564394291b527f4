"""What differs between two plain documents, or between two sets of named arrays, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ABSENT = "absent"
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was so and is otherwise now.

    Attributes:
        key: dotted: ``optimizer.learning_rate``, ``engine.threads``.
        then: what it was, for people.
        now: what it is.
    """

    key: str
    then: str
    now: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.key} was {self.then}, is {self.now}"


def plain_differences(then: Any, now: Any, key: str = "") -> Iterator[Difference]:
    """Where two documents of dicts, lists and scalars differ, by the keys of dicts, sorted.

    A list is one value: it differs as a whole.
    """
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for name in sorted(then.keys() | now.keys()):
            child = f"{key}.{name}" if key else str(name)
            if name not in then or name not in now:
                yield Difference(child, _shown(then, name), _shown(now, name))
            else:
                yield from plain_differences(then[name], now[name], child)
    elif type(then) is not type(now) or then != now:
        yield Difference(key, _text(then), _text(now))


def _shown(mapping: Mapping[str, Any], name: str) -> str:
    return _text(mapping[name]) if name in mapping else _ABSENT


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@dataclass(frozen=True, slots=True)
class ArrayDifference:
    """An array that is not the same, bit for bit.

    Attributes:
        what: its name, and what is different about it, in words.
        largest: max |then − now| / max(1, |then|) over the elements; infinite where
            that cannot be said: another shape, a missing array, NaN against a number.
    """

    name: str
    what: str
    largest: float


def array_differences(
    then: Mapping[str, NDArray[Any]], now: Mapping[str, NDArray[Any]]
) -> Iterator[ArrayDifference]:
    """The arrays that differ in a bit: −0.0 is not 0.0, and a NaN equals itself."""
    for name in sorted(then.keys() | now.keys()):
        first, second = then.get(name), now.get(name)
        if first is None or second is None:
            side = "the first" if second is None else "the second"
            yield ArrayDifference(name, f"only in {side}", float("inf"))
        elif first.dtype != second.dtype or first.shape != second.shape:
            what = f"{first.dtype} {list(first.shape)} and {second.dtype} {list(second.shape)}"
            yield ArrayDifference(name, what, float("inf"))
        elif first.tobytes() != second.tobytes():
            yield _elements(name, first, second)


def _elements(name: str, first: NDArray[Any], second: NDArray[Any]) -> ArrayDifference:
    with np.errstate(invalid="ignore", over="ignore"):
        wide, other = first.astype(np.float64), second.astype(np.float64)
        distance = np.abs(wide - other) / np.maximum(1.0, np.abs(wide))
    same = np.isnan(wide) & np.isnan(other)
    distance = np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))
    what = f"{np.count_nonzero(distance):,} of {first.size:,} values"
    return ArrayDifference(name, what, float(distance.max()))
