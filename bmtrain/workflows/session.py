"""A problem on a device, with its compiled steps: what train, eval and predict run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.preprocessing import Preprocessing
from bmtrain.errors import CheckpointError, EnvironmentFault
from bmtrain.models.architecture import Architecture

if TYPE_CHECKING:
    import keras

    from bmtrain.engine.evaluation import Evaluator
    from bmtrain.engine.placement import SingleDevice
    from bmtrain.engine.runtime import Runtime
    from bmtrain.engine.selection import EngineRecord
    from bmtrain.models.problem import Problem

# TensorFlow is imported inside the functions: whoever calls them has started it.


@dataclass(frozen=True, slots=True)
class Session:
    """The problem with its present weights, and the means to evaluate it."""

    problem: Problem
    placement: SingleDevice
    engine: EngineRecord
    evaluator: Evaluator

    def weights(self) -> dict[str, NDArray[Any]]:
        """A copy of every variable of the model, by position."""
        from bmtrain.models.layers import named_variables

        return _copies(named_variables(self.problem.model))

    def optimizer_state(self) -> dict[str, NDArray[Any]]:
        """A copy of every variable of the optimizer, by position."""
        from bmtrain.models.optimizers import named_optimizer_variables

        return _copies(named_optimizer_variables(self.problem.optimizer))

    def restore(
        self,
        weights: Mapping[str, NDArray[Any]],
        optimizer: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Put arrays into the variables.

        Raises:
            CheckpointError: names, shapes or dtypes are not the variables'.
        """
        from bmtrain.models.layers import named_variables
        from bmtrain.models.optimizers import named_optimizer_variables

        _assign(named_variables(self.problem.model), weights)
        if optimizer is not None:
            _assign(named_optimizer_variables(self.problem.optimizer), optimizer)


def build_session(
    experiment: ExperimentConfig,
    architecture: Architecture,
    preprocessing: Preprocessing,
    runtime: Runtime,
    mode: Literal["auto", "xla", "graph"],
) -> Session:
    """Model and optimizer with their initial weights, on the runtime's device."""
    from bmtrain.engine.evaluation import Evaluator
    from bmtrain.engine.placement import placement_for
    from bmtrain.engine.selection import select_engine
    from bmtrain.models.problem import build_problem

    placement = placement_for(runtime.device)
    with placement.scope():
        problem = build_problem(experiment, architecture, preprocessing)
    engine = select_engine(mode, problem.model, runtime)
    evaluator = Evaluator(problem, placement, jit_compile=engine.mode == "xla")
    return Session(problem, placement, engine, evaluator)


@contextmanager
def native_faults() -> Iterator[None]:
    """TensorFlow's way of saying that memory is out becomes an EnvironmentFault."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise EnvironmentFault(
            f"out of memory: {str(error).splitlines()[0]}",
            hint="a smaller training.batch_size or model needs less",
        ) from error


def _copies(variables: Mapping[str, keras.Variable]) -> dict[str, NDArray[Any]]:
    return {name: np.array(variable.value.numpy()) for name, variable in variables.items()}


def _assign(variables: Mapping[str, keras.Variable], arrays: Mapping[str, NDArray[Any]]) -> None:
    for name in variables.keys() | arrays.keys():
        variable, array = variables.get(name), arrays.get(name)
        if variable is None or array is None:
            side = "not in the model" if variable is None else "missing in the checkpoint"
            raise CheckpointError(f"the tensor {name} is {side}")
        if tuple(variable.shape) != array.shape or variable.dtype != array.dtype.name:
            raise CheckpointError(
                f"the tensor {name} is {array.dtype.name} {list(array.shape)}, "
                f"expected {variable.dtype} {list(variable.shape)}"
            )
        variable.assign(array)
