"""What a check says about a valid experiment, before it gets a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bmtrain.config.nodes import KeyPath


@dataclass(frozen=True, slots=True)
class Finding:
    """A contradiction (error) or something legal but rarely meant (warning) at a config key."""

    key: KeyPath
    message: str
    severity: Literal["error", "warning"] = "error"
