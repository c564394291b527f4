"""The layers for sequences computed by NumPy alone, step by step. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.exports.numpy_activations import ACTIVATIONS, sigmoid

Values = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]
#: (batch, steps), False where a step is padding; None: there is none.
Mask = NDArray[np.bool_] | None
Step = Callable[[Values, list[Values], Tensors, Callable[[Values], Any]], list[Values]]


def _simple_rnn(
    x: Values, states: list[Values], tensors: Tensors, activation: Callable[[Values], Any]
) -> list[Values]:
    bias = tensors.get("bias", np.float32(0))
    return [activation(x @ tensors["kernel"] + bias + states[0] @ tensors["recurrent_kernel"])]


def _lstm(
    x: Values, states: list[Values], tensors: Tensors, activation: Callable[[Values], Any]
) -> list[Values]:
    h, cell = states
    bias = tensors.get("bias", np.float32(0))
    products = x @ tensors["kernel"] + h @ tensors["recurrent_kernel"] + bias
    into, forget, new, out = np.split(products, 4, axis=-1)
    cell = sigmoid(forget) * cell + sigmoid(into) * activation(new)
    return [sigmoid(out) * activation(cell), cell]


def _gru(
    x: Values, states: list[Values], tensors: Tensors, activation: Callable[[Values], Any]
) -> list[Values]:
    (h,) = states
    biases = tensors.get("bias", np.zeros((2, 1), np.float32))
    of_input = np.split(x @ tensors["kernel"] + biases[0], 3, axis=-1)
    of_state = np.split(h @ tensors["recurrent_kernel"] + biases[1], 3, axis=-1)
    update, reset = (sigmoid(of_input[at] + of_state[at]) for at in (0, 1))
    new = activation(of_input[2] + reset * of_state[2])
    return [update * h + (1 - update) * new]


_STEPS: Final[dict[str, tuple[Step, int]]] = {
    "simple_rnn": (_simple_rnn, 1),
    "lstm": (_lstm, 2),
    "gru": (_gru, 1),
}


def recurrent(layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask) -> Values:
    """Outputs (batch, steps, units), or those of the last step that is no padding."""
    return _run(layer, tensors, x, mask, backwards=False)


def _run(
    layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask, *, backwards: bool
) -> Values:
    """Padding changes no state, and its output is the one before it (0 before the first)."""
    step, num_states = _STEPS[layer["type"]]
    states = [np.zeros((len(x), layer["units"]), np.float32)] * num_states
    steps = range(x.shape[1] - 1, -1, -1) if backwards else range(x.shape[1])
    outputs = np.zeros((*x.shape[:2], layer["units"]), np.float32)
    for at in steps:
        new = step(x[:, at], states, tensors, ACTIVATIONS[layer["activation"]])
        if mask is not None:
            new = [
                np.where(mask[:, at, None], a, b).astype(np.float32)
                for a, b in zip(new, states, strict=True)
            ]
        states = new
        outputs[:, at] = states[0]
    return outputs if layer["return_sequences"] else np.asarray(states[0], np.float32)


_MERGES: Final[dict[str, Callable[[Values, Values], Any]]] = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


def bidirectional(layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask) -> Values:
    """Both directions, merged."""
    outputs = []
    for direction in ("forward", "backward"):
        start = f"{direction}."
        own = {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}
        outputs.append(_run(layer["layer"], own, x, mask, backwards=direction == "backward"))
    return np.asarray(_MERGES[layer["merge_mode"]](*outputs), np.float32)


def global_average_pooling1d(
    layer: Mapping[str, Any], tensors: Tensors, x: Values, mask: Mask
) -> Values:
    """Over the steps that are no padding."""
    if mask is None:
        return np.asarray(x.mean(axis=1))
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((x * weights).sum(axis=1) / weights.sum(axis=1))


#: Layer type ↦ function of (description, its own tensors, inputs (batch, steps, features), mask).
LAYERS: Final[dict[str, Callable[[Mapping[str, Any], Tensors, Values, Mask], Values]]] = {
    "simple_rnn": recurrent,
    "lstm": recurrent,
    "gru": recurrent,
    "bidirectional": bidirectional,
    "global_average_pooling1d": global_average_pooling1d,
    "global_max_pooling1d": lambda layer, tensors, x, mask: np.asarray(x.max(axis=1)),
}
