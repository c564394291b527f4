"""What native libraries write to file descriptor 2 goes to a file. No TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bmtrain.regular_files import open_regular


@contextmanager
def native_output_to(path: Path | None) -> Iterator[None]:
    """Send file descriptor 2 to the end of ``path`` (None: nowhere) meanwhile.

    TensorFlow, XLA and CUDA write there past Python, whatever their log level.
    The console must hold a duplicate of the descriptor, or its own output
    would go the same way.
    """
    if path is None:
        target = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    else:
        target = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    original = os.dup(2)
    try:
        os.dup2(target, 2)
        yield
    finally:
        os.dup2(original, 2)
        os.close(original)
        os.close(target)
