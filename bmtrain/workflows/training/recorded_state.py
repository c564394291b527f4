"""Whether what a run recorded of itself is what a run can record: it may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bmtrain.config.sections.learning_rate import ReduceOnPlateau
from bmtrain.errors import CheckpointError
from bmtrain.runs.metrics_log import is_figures
from bmtrain.training_state import Plateau, TrainingState
from bmtrain.workflows.preparation import Prepared

#: What the loop adds up within an epoch, beside the metrics.
_SUMS = ("examples", "loss", "penalty")


def require_possible(state: TrainingState, prepared: Prepared, where: Path) -> None:
    """The training that goes on from this state relies on what is checked here.

    Raises:
        CheckpointError: no training of this experiment on this data comes by it.
    """
    problem = _position(state, prepared) or _sums(state, prepared) or _best(state)
    problem = problem or _plateau(state, prepared)
    if problem is not None:
        raise CheckpointError(f"its state is none of this run's: {problem}", where=str(where))


def _position(state: TrainingState, prepared: Prepared) -> str | None:
    num_examples = prepared.dataset.splits["train"].num_examples
    steps_per_epoch = -(-num_examples // prepared.batch_size)
    if not state.step_in_epoch < steps_per_epoch:
        return f"step {state.step_in_epoch} of an epoch of {steps_per_epoch} steps"
    if not state.epoch + state.step_in_epoch <= state.step:
        return f"step {state.step} after {state.epoch} epochs and {state.step_in_epoch} steps"
    return None


def _sums(state: TrainingState, prepared: Prepared) -> str | None:
    names = {*_SUMS, *prepared.experiment.mean_metrics} if state.step_in_epoch else set()
    sums = state.accumulators
    if sums.keys() != names:
        return f"sums over {', '.join(sorted(sums)) or 'nothing'}"
    if names and not 1 <= sums["examples"] <= prepared.dataset.splits["train"].num_examples:
        return f"sums over {sums['examples']:g} examples"
    negative = next((name for name in names if name != "loss" and sums[name] < 0), None)
    return None if negative is None else f"the sum of {negative} is negative"


def _best(state: TrainingState) -> str | None:
    best = (state.best_value, state.best_epoch, state.best_step)
    if best == (None, None, None):
        return None
    if state.best_value is None or state.best_epoch is None or state.best_step is None:
        return "half a best epoch"
    if not 1 <= state.best_epoch <= state.epoch or not state.best_step <= state.step:
        return f"its best is epoch {state.best_epoch}, step {state.best_step}"
    return None


def _plateau(state: TrainingState, prepared: Prepared) -> str | None:
    plateau, config = state.plateau, prepared.experiment.optimizer.learning_rate
    if not isinstance(config, ReduceOnPlateau):
        return None if plateau == Plateau() else "its learning rate follows no figure"
    if max(plateau.waited, plateau.reductions) > state.epoch or plateau.cooldown > config.cooldown:
        return f"a learning rate reduced {plateau.reductions} times in {state.epoch} epochs"
    return None


def is_summary(document: Mapping[str, Any]) -> bool:
    """Whether a completed run's summary has what is shown of it, in the form in which it is written."""
    metrics, evaluated, timing = (document.get(name) for name in ("metrics", "evaluated", "timing"))
    return (
        document.get("status") == "completed"
        and isinstance(metrics, dict)
        and all(is_figures(figures) for figures in metrics.values())
        and (evaluated is None or _is_evaluated(evaluated))
        and isinstance(timing, dict)
        and is_figures({"total_s": timing.get("total_s")})
        and all(type(document.get(f"{what}_completed")) is int for what in ("epochs", "steps"))
    )


def _is_evaluated(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("which") in ("best", "last")
        and type(value.get("epoch")) is int
        and isinstance(value.get("monitor"), str | None)
    )
