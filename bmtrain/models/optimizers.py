"""The closed table from optimizer names to Keras optimizers."""

from __future__ import annotations

from typing import Any

import keras

from bmtrain.config.durations import Timeline
from bmtrain.config.sections.optimizer import KerasOptimizer, Optimizer
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
    ours = {"name", "learning_rate", "exclude_from_weight_decay"}
    arguments: dict[str, Any] = config.model_dump(exclude=ours)
    rate = config.learning_rate
    arguments["learning_rate"] = rate if isinstance(rate, float) else Schedule(rate, timeline)
    optimizer = OPTIMIZERS[config.name](**arguments)
    if isinstance(config, KerasOptimizer) and config.exclude_from_weight_decay:
        excluded = [v for v in variables if v.name in config.exclude_from_weight_decay]
        optimizer.exclude_from_weight_decay(var_list=excluded)
    optimizer.build(variables)
    return optimizer


def moving_averages(
    optimizer: keras.optimizers.Optimizer, variables: list[keras.Variable]
) -> list[tuple[keras.Variable, keras.Variable]]:
    """Each of the ``variables`` that it was built for with its moving average; [] without."""
    if not getattr(optimizer, "use_ema", False):
        return []
    averages = optimizer._model_variables_moving_average  # noqa: SLF001  # nothing else names them
    return list(zip(variables, averages, strict=True))


def takes_whole_gradients(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether it computes with gradients before they meet their variables: clips or adds them.

    Those of an embedding are rows, which Keras's sums do not take.
    """
    clips = (optimizer.clipvalue, optimizer.clipnorm, optimizer.global_clipnorm)
    return bool(optimizer.gradient_accumulation_steps) or any(clips)


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
