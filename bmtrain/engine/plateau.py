"""``reduce_on_plateau``: what follows from an epoch's figure; Keras's ``ReduceLROnPlateau``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bmtrain.config.sections.learning_rate import ReduceOnPlateau
from bmtrain.config.sections.metrics import is_more_better
from bmtrain.engine.monitoring import gain
from bmtrain.models.schedules import plateau_rate
from bmtrain.training_state import Plateau


def after_epoch(
    config: ReduceOnPlateau,
    plateau: Plateau,
    value: float,
    more_is_better: Callable[[str], bool] = is_more_better,
) -> Plateau:
    """Where the plateau stands after an epoch whose monitored figure was ``value``."""
    if plateau.cooldown:
        plateau = replace(plateau, cooldown=plateau.cooldown - 1, waited=0)
    if (
        plateau.best is None
        or gain(config.monitor, config.mode, value, plateau.best, more_is_better) > config.min_delta
    ):
        return replace(plateau, best=value, waited=0)
    if plateau.cooldown:
        return plateau
    waited = plateau.waited + 1
    is_lowest = plateau_rate(config, plateau.reductions) <= config.min_lr
    if waited < config.patience or is_lowest:
        return replace(plateau, waited=waited)
    reductions = plateau.reductions + 1
    return replace(plateau, waited=0, cooldown=config.cooldown, reductions=reductions)
