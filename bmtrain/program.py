"""How this program was called, for messages that name a command to type."""

from __future__ import annotations

import os


def program() -> str:
    """``bmtrain``, or what ``scripts/bmtrain`` was called as, ready for a shell."""
    return os.environ.get("BMTRAIN_PROGRAM") or "bmtrain"
