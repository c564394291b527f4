"""One thing that was checked, and what it means for a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bmtrain.errors import Diagnostic

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; ``error`` would stop a run, ``warning`` deserves a look.

    Attributes:
        message: what was found and, unless all is well, what to do about it.
        key: the config key that it is about, ``()`` if none is.
        place: where that is written, for whoever annotates the config.
    """

    level: Level
    message: str
    key: tuple[str | int, ...] = ()
    place: Diagnostic | None = None


def examples(count: int) -> str:
    """``1 example``, ``2,000 examples``."""
    return "1 example" if count == 1 else f"{count:,} examples"
