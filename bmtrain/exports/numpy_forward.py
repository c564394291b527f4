"""A described model computed by NumPy alone, layer by layer, in float32. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports import numpy_attention, numpy_pictures, numpy_sequences
from bmtrain.exports.numpy_activations import ACTIVATIONS

Values = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]


def _dense(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    product = x @ tensors["kernel"]
    biased = product + tensors["bias"] if layer["use_bias"] else product
    return _activated(layer, tensors, biased)


def _activated(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    return np.asarray(ACTIVATIONS[layer["activation"]](x), np.float32)


def _batch_normalized(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    mean, variance = tensors["moving_mean"], tensors["moving_variance"]
    return _scaled(tensors, (x - mean) / np.sqrt(variance + np.float32(layer["epsilon"])))


def _layer_normalized(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    return _scaled(tensors, (x - mean) / np.sqrt(variance + np.float32(layer["epsilon"])))


def _group_normalized(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    groups = x.shape[-1] if layer["groups"] == -1 else layer["groups"]
    apart = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    centred = apart - apart.mean(axis=(1, 3), keepdims=True)
    variance = (centred**2).mean(axis=(1, 3), keepdims=True)
    normalized = centred / np.sqrt(variance + np.float32(layer["epsilon"]))
    return _scaled(tensors, normalized.reshape(x.shape))


def _rms_normalized(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    squares = (x**2).mean(axis=-1, keepdims=True)
    return np.asarray(x / np.sqrt(squares + np.float32(layer["epsilon"])) * tensors["scale"])


def _unit_normalized(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    lengths = np.sqrt((x**2).sum(axis=-1, keepdims=True))
    return np.asarray(x / np.maximum(lengths, np.float32(1e-12)))


def _unchanged(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    return x


def _scaled(tensors: Tensors, x: NDArray[Any]) -> Values:
    return np.asarray(x * tensors.get("gamma", np.float32(1)) + tensors.get("beta", np.float32(0)))


def _reshaped(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    return x.reshape(len(x), *layer["output_shape"])


_OF_SEQUENCES: Final = {**numpy_sequences.LAYERS, **numpy_attention.LAYERS}

#: Layer type ↦ function of (description, its own tensors, inputs (batch, …)), at inference.
LAYERS: Final[dict[str, Callable[[Mapping[str, Any], Tensors, Values], Values]]] = {
    "dense": _dense,
    "activation": _activated,
    "dropout": _unchanged,
    "spatial_dropout1d": _unchanged,
    "spatial_dropout2d": _unchanged,
    "gaussian_dropout": _unchanged,
    "gaussian_noise": _unchanged,
    "batch_normalization": _batch_normalized,
    "layer_normalization": _layer_normalized,
    "group_normalization": _group_normalized,
    "rms_normalization": _rms_normalized,
    "unit_normalization": _unit_normalized,
    "flatten": _reshaped,
    "reshape": _reshaped,
    **numpy_pictures.LAYERS,
    "embedding": lambda layer, tensors, x: tensors["embeddings"][x],
}


def forward(
    description: Mapping[str, Any], tensors: Tensors, features: NDArray[np.generic]
) -> Values:
    """Outputs (examples, outputs) float32 for raw features (examples, *shape)."""
    first = description["layers"][0]
    mask = features != 0 if first.get("mask_zero", False) else None
    with np.errstate(over="ignore", invalid="ignore"):  # as TensorFlow: infinity, no word
        return _through(description["layers"], tensors, _inputs(description, features), mask)


def _through(
    layers: Sequence[Mapping[str, Any]],
    tensors: Tensors,
    x: NDArray[Any],
    mask: NDArray[np.bool_] | None,
    prefix: str = "layers",
) -> Values:
    """One layer behind the other."""
    for position, layer in enumerate(layers):
        start = f"{prefix}.{position}."
        own = {
            n.removeprefix(start): tensor for n, tensor in tensors.items() if n.startswith(start)
        }
        if layer["type"] == "residual":
            ends = [_through(layer[path], own, x, mask, path) for path in ("layers", "shortcut")]
            x = ends[0] + ends[1]
        elif (masked := _OF_SEQUENCES.get(layer["type"])) is not None:
            x = masked(layer, own, x, mask)
        else:
            x = LAYERS[layer["type"]](layer, own, x)
        mask = mask if layer["hands_mask_on"] else None
    return x


def _inputs(description: Mapping[str, Any], features: NDArray[np.generic]) -> NDArray[Any]:
    if description["inputs"]["vocabulary_size"] is not None:
        return features.astype(np.int64)
    scaling = description["preprocessing"]
    offset, scale = np.float32(scaling["offset"]), np.float32(scaling["scale"])
    return np.asarray((features.astype(np.float32) - offset) * scale)
