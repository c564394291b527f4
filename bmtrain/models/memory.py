"""How much memory a training takes at least, known before anything is allocated. No TensorFlow.

All of it is float32. A lower bound: what the estimate refuses cannot be trained, what it
lets through may still be too large (temporary results, TensorFlow itself).
"""

from __future__ import annotations

from dataclasses import dataclass

from bmtrain.config.sections import optimizer as sections
from bmtrain.models.architecture import Architecture

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes, by what they are for.

    Attributes:
        optimizer: the variables that the optimizer keeps per parameter.
        snapshot: the copy of weights and optimizer that a save takes, and twice the larger of
            its two files while it is written.
        batch: what layers with a kernel or an embedding give for one batch, kept for the gradient.
        data: the training split, as the device holds it.
    """

    weights: int
    gradients: int
    optimizer: int
    snapshot: int
    batch: int
    data: int

    @property
    def parameters(self) -> int:
        """All that grows with the number of parameters."""
        return self.weights + self.gradients + self.optimizer + self.snapshot

    @property
    def total(self) -> int:
        """All of it at once."""
        return self.parameters + self.batch + self.data


def training_memory(
    architecture: Architecture,
    optimizer: sections.Optimizer,
    *,
    batch_size: int,
    data_bytes: int,
) -> MemoryNeed:
    """What a training on the processor needs at least."""
    weights = architecture.num_parameters * _FLOAT_BYTES
    slots = num_slots(optimizer)
    outputs = sum(layer.kept_values for layer in architecture.layers)
    return MemoryNeed(
        weights=weights,
        gradients=weights,
        optimizer=slots * weights,
        snapshot=(1 + slots + 2 * max(1, slots)) * weights,
        batch=batch_size * outputs * _FLOAT_BYTES,
        data=data_bytes,
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
