"""How much memory a training takes, known before anything is allocated. No TensorFlow.

Two figures. ``at_least`` is a lower bound: what it refuses cannot be trained. ``total`` is an
estimate of the process's peak.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bmtrain.config.sections import optimizer as sections
from bmtrain.config.sections.training import Precision
from bmtrain.data.examples.dataset import BLOCK_SIZE
from bmtrain.models import activations
from bmtrain.models.architecture import Architecture
from bmtrain.models.shapes.planned import PlannedLayer

#: Of weights, gradients and optimizer, in every precision.
_FLOAT_BYTES = 4
#: Of what layers give.
_VALUE_BYTES: Final[dict[Precision, int]] = {"float32": 4, "mixed_bfloat16": 2}
#: What evaluating so many examples at once may take, for the widest layer alone.
_EVALUATION_BYTES = 2**29
#: And the arithmetic: about a second on a few processors, in which no signal is answered.
_EVALUATION_FLOPS = 2 * 10**11
#: TensorFlow's code, and what its compiler keeps once it was used.
_TENSORFLOW_BYTES = 700_000_000
#: What XLA takes to compile a function of steps: of itself, and for each layer with its gradient.
_FUNCTION_BYTES, _LAYER_BYTES = 60_000_000, 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes, by what they are for.

    Attributes:
        optimizer: the variables that the optimizer keeps per parameter, averages of the weights
            and added up gradients among them.
        held: the copy of the best weights and their optimizer that is held until it is written.
        snapshot: twice the larger of a checkpoint's two files, while it is written.
        kept: what layers give for one batch, kept for the gradient, at least.
        batch: the same at the peak of a step, estimated.
        data: the training split, as the device holds it.
        program: TensorFlow itself and compiling the steps, estimated.
    """

    weights: int
    gradients: int
    optimizer: int
    held: int
    snapshot: int
    kept: int
    batch: int
    data: int
    program: int

    @property
    def parameters(self) -> int:
        """All that grows with the number of parameters."""
        return self.weights + self.gradients + self.optimizer + self.held + self.snapshot

    @property
    def at_least(self) -> int:
        """All of it at once, without what is only estimated."""
        return self.parameters + self.kept + self.data

    @property
    def total(self) -> int:
        """The peak of the whole process, estimated."""
        return self.parameters + self.batch + self.data + self.program


def training_memory(  # noqa: PLR0913  # by name: what the need follows from
    architecture: Architecture,
    optimizer: sections.Optimizer,
    *,
    batch_size: int,
    data_bytes: int,
    precision: Precision = "float32",
    holds_best: bool = False,
    has_short_batch: bool = False,
    on_gpu: bool = False,
) -> MemoryNeed:
    """What a training needs.

    Args:
        holds_best: there is a figure by which one epoch is the best so far.
        has_short_batch: the last batch of an epoch is a shorter one.
        on_gpu: XLA on a processor computes bfloat16 as float32, and keeps nearly all of it so.
    """
    weights = architecture.num_parameters * _FLOAT_BYTES
    slots = num_slots(optimizer)
    value_bytes = _VALUE_BYTES[precision]
    layers = architecture.layers
    return MemoryNeed(
        weights=weights,
        gradients=weights,
        optimizer=slots * weights,
        held=(1 + slots) * weights if holds_best else 0,
        snapshot=2 * max(1, slots) * weights,
        kept=batch_size * activations.least(layers) * value_bytes,
        batch=batch_size * activations.about(layers) * (value_bytes if on_gpu else _FLOAT_BYTES),
        data=data_bytes,
        program=_program_bytes(activations.num_plain(layers), has_short_batch=has_short_batch),
    )


def _program_bytes(num_layers: int, *, has_short_batch: bool) -> int:
    """A function of steps of the full batch, perhaps one of the short, and one that evaluates."""
    of_steps = _FUNCTION_BYTES + num_layers * _LAYER_BYTES
    evaluation = _FUNCTION_BYTES + num_layers * _LAYER_BYTES // 3  # forward alone
    return _TENSORFLOW_BYTES + of_steps * (1 + has_short_batch) + evaluation


def evaluated_at_once(architecture: Architecture) -> int:
    """Examples of a block when a split is evaluated: a power of 2, at most ``BLOCK_SIZE``."""
    most = BLOCK_SIZE
    widest = widest_values(architecture.layers) * _FLOAT_BYTES
    while most > 1 and (
        most * widest > _EVALUATION_BYTES or most * architecture.forward_flops > _EVALUATION_FLOPS
    ):
        most //= 2
    return most


def widest_values(layers: Iterable[PlannedLayer]) -> int:
    """The most values of an example that are input and output of one layer, or within it."""
    return max(
        (max(one.widest_values, widest_values(one.inner.values())) for one in layers), default=0
    )


def checkpoint_bytes(architecture: Architecture, optimizer: sections.Optimizer) -> int:
    """What the tensors of one checkpoint take; names, sums and the config some kilobytes more."""
    return (1 + num_slots(optimizer)) * architecture.num_parameters * _FLOAT_BYTES


def num_slots(optimizer: sections.Optimizer) -> int:
    """Variables that the optimizer keeps per parameter, as Keras makes them; at least."""
    if isinstance(optimizer, sections.GradientDescent):
        return 0
    common = optimizer.use_ema + (optimizer.gradient_accumulation_steps is not None)
    return common + _own_slots(optimizer)


def _own_slots(optimizer: sections.KerasOptimizer) -> int:
    match optimizer:
        case sections.Sgd():
            return int(optimizer.momentum > 0)
        case sections.Adam() | sections.AdamW():
            return 2 + optimizer.amsgrad
        case sections.RmsProp():
            return 1 + (optimizer.momentum > 0) + optimizer.centered
        case sections.Nadam():
            return 2
        case _:  # Adagrad, Lion, Muon, which has 2 where it is AdamW
            return 1
