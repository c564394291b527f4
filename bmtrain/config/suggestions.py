"""The nearest valid names to one that is not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

#: More names than this help nobody who meant one of them.
MAX_SUGGESTIONS = 6

_CROSSENTROPIES = (
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
)
#: What people who come from other tools write; compared in lower case.
_SYNONYMS = {
    "acc": ("accuracy",),
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
    "groupnorm": ("group_normalization",),
    "conv": ("conv1d", "conv2d"),
    "convolution": ("conv1d", "conv2d"),
    "maxpool2d": ("max_pooling2d",),
    "avgpool2d": ("average_pooling2d",),
    "self_attention": ("multi_head_attention",),
    "positional_encoding": ("positional_embedding",),
    "skip": ("residual",),
    "gd": ("gradient_descent",),
    "cross_entropy": _CROSSENTROPIES,
    "ce": _CROSSENTROPIES,
    "bce": ("binary_crossentropy",),
    "mse": ("mean_squared_error",),
    "rmse": ("root_mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "swish": ("silu",),
}
#: Shorter words are in too many names by chance.
_SHORTEST_WORD = 3


def nearest(name: str, choices: Iterable[str]) -> tuple[str, ...]:
    """The choices that ``name`` most likely means: one, several that are as near, or none."""
    known = list(choices)
    wanted = _snake_case(name[:100])
    if wanted in known:
        return (wanted,) if wanted != name else ()
    found = [synonym for synonym in _SYNONYMS.get(wanted, ()) if synonym in known]
    found = found or [c for c in known if c in {f"{wanted}s", wanted.removesuffix("s")}]
    found = found or [choice for choice in known if _is_part(wanted, choice)]
    found = found or _similar(wanted, known)
    return tuple(found) if len(found) <= MAX_SUGGESTIONS else ()


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """``"; did you mean 'adam'?"``, or "" if nothing is near."""
    found = nearest(name, choices)
    return f"; did you mean {listed_or(found)}?" if found else ""


def is_misspelt(name: str, choices: Iterable[str]) -> bool:
    """Whether it is near to a choice, other than by more words: ``my_dense`` is no ``dense``."""
    found = nearest(name, choices)
    return bool(found) and not all(f"_{choice}_" in f"_{name}_" for choice in found)


def listed_or(names: Sequence[str]) -> str:
    """``'a'``, ``'a' or 'b'``, ``'a', 'b' or 'c'``."""
    quoted = [f"'{name}'" for name in names]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _is_part(wanted: str, choice: str) -> bool:
    """Whether ``wanted`` is one or more whole words of ``choice``: crossentropy, squared_error."""
    return len(wanted) >= _SHORTEST_WORD and f"_{wanted}_" in f"_{choice}_"


def _similar(wanted: str, known: Sequence[str]) -> list[str]:
    """What looks most alike; all of those that do so equally."""
    close = difflib.get_close_matches(wanted, known, n=MAX_SUGGESTIONS + 1, cutoff=0.6)
    alike = [difflib.SequenceMatcher(None, choice, wanted).ratio() for choice in close]
    best = [choice for choice, ratio in zip(close, alike, strict=True) if ratio == max(alike)]
    return [choice for choice in known if choice in best]


def _snake_case(name: str) -> str:
    """``BatchNormalization`` → batch_normalization, ``batch-size`` → batch_size, ``ReLU`` → relu."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", name.strip())
    return re.sub(r"[-\s]+", "_", spaced).lower()
