"""One number for all the data: equal fingerprints, equal training; and one for each split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bmtrain.data.dataset import Split, SplitName

_ORDER: tuple[SplitName, ...] = ("train", "validation", "test")


def fingerprint(splits: Mapping[SplitName, Split], names: Mapping[str, Any]) -> str:
    """sha256, hex, over ``names`` and each split's name, dtypes, shapes and bytes.

    Bytes are taken little-endian and in C order, so every machine says the same.
    """
    digest = hashlib.sha256()
    for key, value in sorted(names.items()):
        digest.update(f"{key}={value!r}\n".encode())
    for split_name in _ORDER:
        if split_name not in splits:
            continue
        for piece in _pieces(splits[split_name], f"{split_name}."):
            digest.update(piece)
    return digest.hexdigest()


def split_fingerprint(split: Split) -> str:
    """sha256, hex, over the split's dtypes, shapes and bytes, whatever it is called."""
    digest = hashlib.sha256()
    for piece in _pieces(split, ""):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(split: Split, prefix: str) -> Iterator[bytes | memoryview]:
    arrays = {"features": split.features, "labels": split.labels, "weights": split.weights}
    for kind, array in arrays.items():
        if array is None:
            continue
        ordered = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        yield f"{prefix}{kind} {ordered.dtype.str} {ordered.shape}\n".encode()
        yield ordered.reshape(-1).view(np.uint8).data
