"""The closed table from optimizer names to Keras optimizers."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.durations import Timeline
from bmtrain.config.sections.optimizer import Optimizer
from bmtrain.models.schedules import Schedule

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
    config: Optimizer, variables: list[keras.Variable], timeline: Timeline
) -> keras.optimizers.Optimizer:
    """The optimizer, its slots created for ``variables``; arguments keep Keras's meanings."""
    arguments: dict[str, Any] = config.model_dump(exclude={"name", "learning_rate"})
    rate = config.learning_rate
    arguments["learning_rate"] = rate if isinstance(rate, float) else Schedule(rate, timeline)
    optimizer = OPTIMIZERS[config.name](**arguments)
    optimizer.build(variables)
    return optimizer


def schedule_of(optimizer: keras.optimizers.Optimizer) -> Schedule | None:
    """What its learning rate follows, if it is not one number."""
    rate = optimizer._learning_rate  # noqa: SLF001  # Keras's property computes it at once
    return rate if isinstance(rate, Schedule) else None


def learning_rate_at(optimizer: keras.optimizers.Optimizer, step: int) -> float:
    """Of the step that follows ``step`` (whole training) others, as few digits as a float32 has."""
    schedule = schedule_of(optimizer)
    rate = optimizer.learning_rate if schedule is None else schedule(step)
    # 0.001, not 0.0010000000474974513.
    return float(str(rate.numpy()))


def named_optimizer_variables(
    optimizer: keras.optimizers.Optimizer,
) -> dict[str, keras.Variable]:
    """Every optimizer variable by position: Keras's paths change and may repeat.

    But the learning rate, which is the config's, and where it follows a figure the state's.
    """
    rate = optimizer._learning_rate  # noqa: SLF001  # Keras's property gives its value
    kept = [variable for variable in optimizer.variables if variable is not rate]
    return {f"variables.{i}": variable for i, variable in enumerate(kept)}
