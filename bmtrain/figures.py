"""Figures as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def figure(value: float | None) -> str:
    """A loss or metric: four decimals where that says something, else four digits."""
    if value is None or not math.isfinite(value):
        return "not finite"
    if value == 0 or 1e-3 <= abs(value) < 1000:
        return f"{value:.4f}"
    return f"{value:.4g}"


def rounded(value: float) -> str:
    """A quantity of the data's own: four digits and no more, ``20.77``, ``1,029``, ``0.0031``."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """``4.2 ms``, ``0.42 s``, ``9.2 s``, ``3:07``, ``2:03:07``."""
    if not math.isfinite(seconds):
        return "?"
    if seconds == 0:
        return "0 s"
    if 0 < seconds < 0.095:
        return f"{seconds * 1000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    return clock(seconds)


def clock(seconds: float) -> str:
    """``0:09``, ``3:07``, ``2:03:07``."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 error``, ``2 errors``, ``1,875 steps``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def amount(number: float, unit: str) -> str:
    """``85.7 TFLOP``, ``893 MB``, ``12 J``: three digits and a decimal prefix."""
    if not math.isfinite(number):
        return f"? {unit}"
    prefixes = iter(("", "k", "M", "G", "T", "P", "E"))
    prefix = next(prefixes)
    while abs(number) >= 999.5 and (larger := next(prefixes, None)) is not None:
        number, prefix = number / 1000, larger
    return f"{number:.3g} {prefix}{unit}"


def shape(sizes: Sequence[int], times: str = "×", unit: str = "feature") -> str:
    """``28×28``; one size is ``4 features``, or of another unit."""
    if len(sizes) == 1:
        return count(sizes[0], unit)
    return times.join(str(size) for size in sizes) or "scalars"


def telling_figures(splits: Iterable[Mapping[str, float | None]]) -> list[str]:
    """The names of figures worth a column, in order.

    Without a penalty the objective is the loss, and neither column says anything.
    """
    columns = list(splits)
    names = list(dict.fromkeys(name for column in columns for name in column))
    if any(column.get("penalty") for column in columns):
        return names
    return [name for name in names if name not in {"penalty", "objective"}]


def class_name(names: Sequence[str], label: int) -> str:
    """The name of a class; a model may have outputs beyond them, and choose one."""
    return names[label] if label < len(names) else f"output {label}"
