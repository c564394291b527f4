"""One number for all the data: equal fingerprints, equal training; and one for each split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from bmtrain.data.examples.dataset import Split
from bmtrain.data.raw.source import SplitName
from bmtrain.data.raw.streamed_rows import Features, value_blocks

_ORDER: tuple[SplitName, ...] = ("train", "validation", "test")


def fingerprint(splits: Mapping[SplitName, str], names: Mapping[str, Any]) -> str:
    """sha256, hex, over ``names`` and the fingerprint of each split."""
    digest = hashlib.sha256()
    for key, value in sorted(names.items()):
        digest.update(f"{key}={value!r}\n".encode())
    for name in _ORDER:
        if name in splits:
            digest.update(f"{name} {splits[name]}\n".encode())
    return digest.hexdigest()


def split_fingerprint(split: Split) -> str:
    """sha256, hex, over the split's dtypes, shapes and bytes, whatever it is called.

    Bytes are taken little-endian and in C order, so every machine says the same.
    """
    digest = hashlib.sha256()
    arrays: dict[str, Features | None] = {
        "features": split.features,
        "labels": split.labels,
        "weights": split.weights,
    }
    for kind, array in arrays.items():
        if array is None:
            continue
        dtype = array.dtype.newbyteorder("<")
        digest.update(f"{kind} {dtype.str} {array.shape}\n".encode())
        for block in value_blocks(array):
            ordered = np.ascontiguousarray(block, dtype=dtype)
            digest.update(ordered.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
