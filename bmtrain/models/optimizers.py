"""The closed table from optimizer names to Keras optimizers."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.sections.optimizer import Optimizer

OPTIMIZERS: dict[str, type[keras.optimizers.Optimizer]] = {
    # θ ← θ − α·∇J(θ): Keras's SGD without momentum is exactly that.
    "gradient_descent": keras.optimizers.SGD,
    "sgd": keras.optimizers.SGD,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "nadam": keras.optimizers.Nadam,
    "lion": keras.optimizers.Lion,
    "muon": keras.optimizers.Muon,
}


def build_optimizer(
    config: Optimizer, variables: list[keras.Variable]
) -> keras.optimizers.Optimizer:
    """The optimizer, its slots created for ``variables``; arguments keep Keras's meanings."""
    arguments: dict[str, Any] = config.model_dump(exclude={"name"})
    optimizer = OPTIMIZERS[config.name](**arguments)
    optimizer.build(variables)
    return optimizer


def named_optimizer_variables(
    optimizer: keras.optimizers.Optimizer,
) -> dict[str, keras.Variable]:
    """Every optimizer variable by position: Keras's paths change and may repeat."""
    return {f"variables.{i}": variable for i, variable in enumerate(optimizer.variables)}
