"""One number for all the data: equal fingerprints, equal training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
        split = splits[split_name]
        arrays = {"features": split.features, "labels": split.labels, "weights": split.weights}
        for kind, array in arrays.items():
            if array is None:
                continue
            ordered = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            digest.update(f"{split_name}.{kind} {ordered.dtype.str} {ordered.shape}\n".encode())
            digest.update(ordered.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
