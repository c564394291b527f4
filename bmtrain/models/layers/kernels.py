"""Penalties and constraints of a layer's own kernels, as Keras's objects."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.sections.layers.kernels import KernelConstraint, KernelRegularizer


def kernel_terms(config: Any, name: str, num_axes: int) -> dict[str, Any]:
    """Keras's arguments ``NAME_regularizer`` and ``NAME_constraint``.

    Args:
        num_axes: the axes of the kernel, from the first, that are summed over for one output.
    """
    return {
        f"{name}_regularizer": _regularizer(getattr(config, f"{name}_regularizer")),
        f"{name}_constraint": _constraint(getattr(config, f"{name}_constraint"), num_axes),
    }


def _regularizer(config: KernelRegularizer | None) -> keras.regularizers.Regularizer | None:
    return None if config is None else keras.regularizers.L1L2(config.l1, config.l2)


def _constraint(
    config: KernelConstraint | None, num_axes: int
) -> keras.constraints.Constraint | None:
    if config is None:
        return None
    return keras.constraints.MaxNorm(config.max_norm, axis=list(range(num_axes)))
