"""Penalties and constraints of a layer's own weights, as Keras's objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from bmtrain.config.sections.layers.kernels import KernelConstraint, KernelRegularizer


def kernel_terms(config: Any, name: str, num_axes: int) -> dict[str, Any]:
    """Keras's arguments ``NAME_regularizer`` and ``NAME_constraint``.

    Args:
        num_axes: the axes of the kernel, from the first, that are summed over for one output.
    """
    return own_terms(config, name, range(num_axes))


def own_terms(config: Any, name: str, axes: Iterable[int]) -> dict[str, Any]:
    """The same of any weights; ``axes`` are those along which a constraint's length is taken."""
    return {
        f"{name}_regularizer": regularizer(getattr(config, f"{name}_regularizer")),
        f"{name}_constraint": constraint(getattr(config, f"{name}_constraint"), axes),
    }


def regularizer(config: KernelRegularizer | None) -> keras.regularizers.Regularizer | None:
    """Keras's L1L2; None: none is asked for."""
    return None if config is None else keras.regularizers.L1L2(config.l1, config.l2)


def constraint(
    config: KernelConstraint | None, axes: Iterable[int]
) -> keras.constraints.Constraint | None:
    """Keras's MaxNorm along these axes; None: none is asked for."""
    return None if config is None else keras.constraints.MaxNorm(config.max_norm, axis=list(axes))
