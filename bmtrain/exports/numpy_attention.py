"""Self-attention and places computed by NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports.numpy_activations import ACTIVATIONS

Values = NDArray[np.float32]
Mask = NDArray[np.bool_] | None
Tensors = Mapping[str, NDArray[Any]]


def multi_head_attention(
    layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask
) -> Values:
    """(batch, steps, width) → the same; padding is seen by no step."""
    query, key, value = (_heads(tensors, name, x) for name in ("query", "key", "value"))
    scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(layer["key_dim"]))
    if layer["use_causal_mask"]:
        steps = x.shape[1]
        scores = np.where(np.tri(steps, dtype=bool), scores, np.float32(-1e9))
    if mask is not None:
        scores = np.where(mask[:, None, None, :], scores, np.float32(-1e9))
    shares = ACTIVATIONS["softmax"](scores)
    seen = np.einsum("bhsd,hdw->bsw", shares @ value, tensors["attention_output.kernel"])
    return np.asarray(seen + tensors.get("attention_output.bias", np.float32(0)), np.float32)


def _heads(tensors: Tensors, name: str, x: Values) -> Values:
    """(batch, heads, steps, size of a head)."""
    made = np.einsum("bsw,whd->bshd", x, tensors[f"{name}.kernel"])
    made = made + tensors.get(f"{name}.bias", np.float32(0))
    return np.asarray(made.transpose(0, 2, 1, 3), np.float32)


def positional_embedding(
    layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask
) -> Values:
    """The vectors of all places are added."""
    return np.asarray(x + tensors["embeddings"])


#: Layer type ↦ function of (description, its own tensors, inputs (batch, steps, features), mask).
LAYERS: Final[dict[str, Callable[[Mapping[str, Any], Tensors, Values, Mask], Values]]] = {
    "multi_head_attention": multi_head_attention,
    "positional_embedding": positional_embedding,
}
