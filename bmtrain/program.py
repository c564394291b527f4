"""How this program was called, for messages that name a command to type."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path


def program() -> str:
    """``bmtrain``, or what ``scripts/bmtrain`` was called as, ready for a shell."""
    return os.environ.get("BMTRAIN_PROGRAM") or "bmtrain"


def pip(*words: str) -> str:
    """``.venv/bin/python -m pip install onnx``: the pip of the Python that runs this, for a shell.

    The interpreter by its path from the current directory, where it is below that.
    """
    python = Path(sys.executable or "python3")
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return shlex.join([str(python), "-m", "pip", *words])
