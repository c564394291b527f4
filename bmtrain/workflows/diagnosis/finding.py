"""What ``doctor`` finds, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: note: worth knowing; warning: it will train, but badly; problem: it will not train.
Level = Literal["ok", "note", "warning", "problem"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "problem")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; ``remedy`` says what to do about it, and all but ``ok`` and notes have one."""

    level: Level
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """One part of the machine: what was found, and the same as plain data."""

    title: str
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_fit(self) -> bool:
        """Whether a training can be expected to work, as far as this part goes."""
        return all(finding.level != "problem" for finding in self.findings)
