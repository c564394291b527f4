"""Writers of small files, each a few lines of the format's own definition."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from bmtrain.config.sections.data import DataSection

_IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _idx_bytes(array: np.ndarray) -> bytes:
    code = _IDX_CODES[array.dtype.str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="session")
def idx_bytes():
    return _idx_bytes


@pytest.fixture(scope="session")
def write_idx_directory():
    def write(directory: Path, *, compress: bool = False, **arrays: np.ndarray) -> Path:
        """Keyword ``train_images`` is the file train-images-idx3-ubyte."""
        directory.mkdir(exist_ok=True)
        for key, array in arrays.items():
            name = f"{key.replace('_', '-')}-idx{array.ndim}-ubyte"
            content = _idx_bytes(array)
            if compress:
                (directory / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
            else:
                (directory / name).write_bytes(content)
        return directory

    return write


@pytest.fixture(scope="session")
def section():
    def make(source: object, **keys: object) -> DataSection:
        return DataSection.model_validate({"source": str(source), **keys})

    return make


@pytest.fixture
def numbers():
    return np.random.default_rng(7)
