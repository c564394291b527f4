"""A problem, its compiled steps and its loop, on data that fits in a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bmtrain.events import EpochDone
from bmtrain.training_state import TrainingState


@dataclass(frozen=True)
class Harness:
    """What ``bmtrain.workflows.training.execution`` puts together for a run."""

    problem: Any
    steps: Any
    evaluator: Any
    loop: Any

    def train(self) -> list[EpochDone]:
        """To the end; the epochs as they were reported."""
        return [event for event in self.loop.events() if isinstance(event, EpochDone)]

    def weights(self) -> dict[str, np.ndarray]:
        """Copies, by position."""
        from bmtrain.models.layers.building import named_variables

        named = named_variables(self.problem.model)
        return {name: np.array(v.value.numpy()) for name, v in named.items()}


@pytest.fixture
def harness(runtime):
    """(experiment, dataset) -> Harness; ``mode`` graph unless it is what a test is about.

    ``device``: whose lowerings are used.
    """
    from bmtrain.data.examples.normalization import fit_preprocessing
    from bmtrain.engine.evaluation import Evaluator
    from bmtrain.engine.loop import TrainingLoop
    from bmtrain.engine.lowerings.table import lowerings_used
    from bmtrain.engine.placement import placement_for
    from bmtrain.engine.steps import CompiledSteps
    from bmtrain.models.architecture import plan_architecture
    from bmtrain.models.problem import build_problem

    def make(config, data, *, mode="graph", normalize="none", device="cpu"):
        problem = build_problem(
            config, plan_architecture(config, data.facts), fit_preprocessing(data, normalize)
        )
        placement = placement_for("cpu")
        jit_compile = mode == "xla"
        train = data.splits["train"]
        size = config.training.batch_size
        batch_size = train.num_examples if size == "full" else min(size, train.num_examples)
        steps = CompiledSteps(
            problem,
            train,
            placement,
            batch_size=batch_size,
            jit_compile=jit_compile,
            lowerings=lowerings_used(problem.model, mode=mode, device=device),
        )
        evaluator = Evaluator(problem, placement, jit_compile=jit_compile)
        loop = TrainingLoop(problem, data, steps, evaluator, config.training, TrainingState())
        return Harness(problem, steps, evaluator, loop)

    return make
