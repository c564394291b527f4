"""Directories in memory, where there is such a place: these tests write a thousand runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def make_quick_path() -> Iterator[Callable[[], Path]]:
    """() -> an empty directory, in memory if possible."""
    shm = Path("/dev/shm")
    base = shm if shm.is_dir() and os.access(shm, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bmtrain-tests-", dir=base) as directory:
        yield lambda: Path(tempfile.mkdtemp(dir=directory))
