"""A described model computed by NumPy alone, layer by layer, in float32. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]

_SELU_SCALE: Final = 1.0507009873554805  # Klambauer et al. (2017)
_SELU_ALPHA: Final = 1.6732632423543772
_erf = np.frompyfunc(math.erf, 1, 1)


def _sigmoid(x: Values) -> Values:
    """1/(1 + e⁻ˣ), through tanh, which never overflows."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _softplus(x: Values) -> Values:
    return np.logaddexp(np.float32(0), x)


def _below_zero(x: Values) -> Values:
    """eˣ − 1 where x < 0, else 0: no overflow where x is large."""
    return np.expm1(np.minimum(x, 0))


def _log_softmax(x: Values) -> Values:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


#: As Keras defines them, defaults included.
ACTIVATIONS: Final[dict[str, Callable[[Values], Any]]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, _below_zero(x)),
    "selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * _below_zero(x)),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2)).astype(np.float32)),
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exponential": np.exp,
    "softmax": lambda x: np.exp(_log_softmax(x)),
    "log_softmax": _log_softmax,
}


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


def _scaled(tensors: Tensors, x: NDArray[Any]) -> Values:
    return np.asarray(x * tensors.get("gamma", np.float32(1)) + tensors.get("beta", np.float32(0)))


def _reshaped(layer: Mapping[str, Any], tensors: Tensors, x: Values) -> Values:
    return x.reshape(len(x), *layer["output_shape"])


#: Layer type ↦ function of (description, its own tensors, inputs (batch, …)), at inference.
LAYERS: Final[dict[str, Callable[[Mapping[str, Any], Tensors, Values], Values]]] = {
    "dense": _dense,
    "activation": _activated,
    "dropout": lambda layer, tensors, x: x,
    "batch_normalization": _batch_normalized,
    "layer_normalization": _layer_normalized,
    "flatten": _reshaped,
    "reshape": _reshaped,
}


def forward(
    description: Mapping[str, Any], tensors: Tensors, features: NDArray[np.generic]
) -> Values:
    """Outputs (examples, outputs) float32 for raw features (examples, *shape)."""
    scaling = description["preprocessing"]
    offset, scale = np.float32(scaling["offset"]), np.float32(scaling["scale"])
    values = np.asarray((features.astype(np.float32) - offset) * scale)
    for position, layer in enumerate(description["layers"]):
        start = f"layers.{position}."
        own = {
            name.removeprefix(start): tensor
            for name, tensor in tensors.items()
            if name.startswith(start)
        }
        with np.errstate(over="ignore", invalid="ignore"):  # as TensorFlow: infinity, no word
            values = LAYERS[layer["type"]](layer, own, values)
    return values
