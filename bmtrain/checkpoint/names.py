"""What checkpoints are called: ``step-00001875``, and ``step-00001875-r2`` when saved again."""

from __future__ import annotations

import re

_NAME = re.compile(r"step-(\d{8,18})(?:-r(\d{1,6}))?", re.ASCII)


def checkpoint_name(step: int, revision: int = 1) -> str:
    """The name of the ``revision``-th save at ``step``."""
    return f"step-{step:08d}" if revision == 1 else f"step-{step:08d}-r{revision}"


def is_checkpoint_name(name: str) -> bool:
    """Whether the store gives such names."""
    return _NAME.fullmatch(name) is not None


def age(name: str) -> tuple[int, int]:
    """(step, revision); the larger the newer."""
    match = _NAME.fullmatch(name)
    assert match is not None, name
    return int(match[1]), int(match[2] or 1)
