"""A problem on a device, with its compiled steps: what train, eval and predict run on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.errors import CheckpointError, PluginError
from bmtrain.interrupts import signals_deferred
from bmtrain.models.architecture import Architecture
from bmtrain.workflows.endings import not_repeatable, out_of_memory

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from bmtrain.engine.evaluation import Evaluator
    from bmtrain.engine.placement import SingleDevice
    from bmtrain.engine.runtime import Runtime
    from bmtrain.engine.selection import EngineRecord
    from bmtrain.models.problem import Problem

# TensorFlow is imported inside the functions: whoever calls them has started it.


@dataclass(frozen=True, slots=True)
class HeldValues:
    """Values of variables by position, as tensors, which nothing changes any more."""

    model_values: Mapping[str, tf.Tensor]
    optimizer_values: Mapping[str, tf.Tensor]

    def model(self) -> dict[str, NDArray[Any]]:
        """Those of the model's variables, without a copy where they are in the host's memory."""
        return _arrays(self.model_values)

    def optimizer(self) -> dict[str, NDArray[Any]]:
        """Those of the optimizer's variables."""
        return _arrays(self.optimizer_values)


def _arrays(values: Mapping[str, tf.Tensor]) -> dict[str, NDArray[Any]]:
    """``numpy()`` would copy; this array is the tensor's own memory, and cannot be written to."""
    return {name: np.asarray(memoryview(value)) for name, value in values.items()}


class _Reads:
    """Reads variables fast: tiny models improve every millisecond.

    What a read gives is immutable: TensorFlow writes a later value of the variable to another
    place while somebody holds this one. The raw operation takes a third of the time that
    ``variable.numpy()`` does, and looking its arguments up once half of the rest.
    """

    def __init__(self, variables: Mapping[str, keras.Variable]) -> None:
        self._arguments = [(n, v.value.handle, v.value.dtype) for n, v in variables.items()]

    def values(self) -> dict[str, tf.Tensor]:
        import tensorflow as tf

        read = tf.raw_ops.ReadVariableOp
        return {name: read(resource=handle, dtype=d) for name, handle, d in self._arguments}


@dataclass(frozen=True)
class Session:
    """The problem with its present weights, and the means to evaluate it.

    Where it keeps moving averages of its weights, they are what ``model_variables`` names:
    what is judged, saved as the model and exported. The weights that the training goes on with
    are then among ``optimizer_variables``, in the places of their averages.
    """

    problem: Problem
    placement: SingleDevice
    engine: EngineRecord
    evaluator: Evaluator
    model_variables: Mapping[str, keras.Variable]
    optimizer_variables: Mapping[str, keras.Variable]

    @cached_property
    def _model_reads(self) -> _Reads:
        return _Reads(self.model_variables)

    @cached_property
    def _optimizer_reads(self) -> _Reads:
        return _Reads(self.optimizer_variables)

    def held(self) -> HeldValues:
        """The values that all variables have now; they change no more."""
        return HeldValues(self._model_reads.values(), self._optimizer_reads.values())

    def put_back(self, held: HeldValues) -> None:
        """Give all variables the values that were held."""
        for name, variable in self.model_variables.items():
            variable.assign(held.model_values[name])
        for name, variable in self.optimizer_variables.items():
            variable.assign(held.optimizer_values[name])

    def restore(
        self,
        weights: Mapping[str, NDArray[Any]],
        optimizer: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """Put arrays into the variables; ``weights`` alone into the model and its averages.

        Raises:
            CheckpointError: names, shapes or dtypes are not the variables'.
        """
        _assign(self.model_variables, weights)
        if optimizer is not None:
            _assign(self.optimizer_variables, optimizer)
            return
        for variable, average in self.problem.averages:
            variable.assign(average.value)


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
    from bmtrain.models.layers.building import named_variables
    from bmtrain.models.optimizers import named_optimizer_variables
    from bmtrain.models.problem import build_problem

    placement = placement_for(runtime.device, runtime.cache)
    with placement.scope(), signals_deferred():
        problem = build_problem(experiment, architecture, preprocessing)
    engine = select_engine(mode, problem.model, runtime, experiment.training.precision)
    average_of = {id(variable): average for variable, average in problem.averages}
    present_of = {id(average): variable for variable, average in problem.averages}
    evaluator = Evaluator(problem, placement, jit_compile=engine.mode == "xla")
    return Session(
        problem=problem,
        placement=placement,
        engine=engine,
        evaluator=evaluator,
        model_variables=_exchanged(named_variables(problem.model), average_of),
        optimizer_variables=_exchanged(named_optimizer_variables(problem.optimizer), present_of),
    )


def _exchanged(
    named: Mapping[str, keras.Variable], others: Mapping[int, keras.Variable]
) -> dict[str, keras.Variable]:
    return {name: others.get(id(variable), variable) for name, variable in named.items()}


@contextmanager
def native_faults(device: str) -> Iterator[None]:
    """Python's and TensorFlow's ways of saying what cannot be done here become one of ours.

    Raises:
        OutOfMemory: the memory is used up, the host's or the GPU's.
        EnvironmentFault: the GPU has no way to compute something that adds up in one order.
    """
    import tensorflow as tf

    try:
        yield
    except MemoryError as error:
        raise out_of_memory(str(error)) from error
    except tf.errors.ResourceExhaustedError as error:
        is_of_gpu = device == "gpu" and "CPU:0" not in str(error)
        raise out_of_memory(str(error), of_gpu=is_of_gpu) from error
    except tf.errors.InternalError as error:
        # So it says that what is copied to a GPU finds no room there.
        if "Dst tensor is not initialized" not in str(error):
            raise
        raise out_of_memory(str(error), of_gpu=True) from error
    except tf.errors.InvalidArgumentError as error:
        found = re.search(
            r"Detected unsupported operations when trying to compile graph.*?: *(.*)", str(error)
        )
        if found is None:
            raise
        raise PluginError(
            f"XLA cannot compile what a plugin computes: {found[1][:200]}",
            hint="training.engine: graph computes it without XLA",
        ) from error
    except tf.errors.UnimplementedError as error:
        if "determinis" not in str(error):
            raise
        raise not_repeatable(str(error)) from error


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
