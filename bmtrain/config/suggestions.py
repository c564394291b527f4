"""The nearest valid name to one that is not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: What people who come from other tools write; compared in lower case.
_SYNONYMS = {
    "alpha": ("learning_rate",),
    "batch": ("batch_size",),
    "lr": ("learning_rate",),
    "eta": ("learning_rate",),
    "eps": ("epsilon",),
    "l2": ("l2_lambda",),
    "lambda": ("l2_lambda",),
    "neurons": ("units",),
    "nodes": ("units",),
    "size": ("units", "batch_size"),
    "out_features": ("units",),
    "num_epochs": ("epochs",),
    "p": ("rate",),
    "shape": ("target_shape",),
    "target": ("label",),
    "target_column": ("label",),
    "path": ("source",),
    "file": ("source",),
    "seed": ("seed",),
    "fc": ("dense",),
    "linear": ("dense",),
    "batchnorm": ("batch_normalization",),
    "layernorm": ("layer_normalization",),
    "gd": ("gradient_descent",),
    "cross_entropy": ("sparse_categorical_crossentropy",),
    "bce": ("binary_crossentropy",),
    "swish": ("silu",),
}


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice that ``name`` most likely means, or None if none is near."""
    known = list(choices)
    wanted = _snake_case(name[:100])
    if wanted in known and wanted != name:
        return wanted
    for synonym in _SYNONYMS.get(wanted, ()):
        if synonym in known and synonym != name:
            return synonym
    found = difflib.get_close_matches(wanted, known, n=1, cutoff=0.6)
    return found[0] if found and found[0] != name else None


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """``"; did you mean 'adam'?"``, or "" if nothing is near."""
    found = nearest(name, choices)
    return f"; did you mean '{found}'?" if found is not None else ""


def _snake_case(name: str) -> str:
    """``BatchNormalization`` → batch_normalization, ``batch-size`` → batch_size, ``ReLU`` → relu."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[-\s]+", "_", spaced).lower()
