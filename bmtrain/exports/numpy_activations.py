"""Activations computed by NumPy alone, as Keras defines them. No TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_SELU_SCALE: Final = 1.0507009873554805  # Klambauer et al. (2017)
_SELU_ALPHA: Final = 1.6732632423543772
_erf = np.frompyfunc(math.erf, 1, 1)


def sigmoid(x: Values) -> Values:
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


def _sparse_plus(x: Values) -> Values:
    """0 up to −1, x from 1 on, (x + 1)²/4 between (Martins & Astudillo 2016)."""
    return np.where(x >= 1, x, 0.25 * (np.clip(x, -1, 1) + 1) ** 2)


def _hard_sigmoid(x: Values) -> Values:
    """x/6 + ½ within 0 and 1."""
    return np.clip(x / 6 + 0.5, 0, 1)


#: As Keras defines them, defaults included.
ACTIVATIONS: Final[dict[str, Callable[[Values], Any]]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, _below_zero(x)),
    "selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * _below_zero(x)),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2)).astype(np.float32)),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "sigmoid": sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "log_sigmoid": lambda x: -_softplus(-x),
    "sparse_sigmoid": lambda x: np.clip(0.5 * (x + 1), 0, 1),
    "tanh": np.tanh,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "softplus": _softplus,
    "sparse_plus": _sparse_plus,
    "squareplus": lambda x: 0.5 * (x + np.sqrt(x**2 + 4)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_silu": lambda x: x * _hard_sigmoid(x),
    "exponential": np.exp,
    "softmax": lambda x: np.exp(_log_softmax(x)),
    "log_softmax": _log_softmax,
}
