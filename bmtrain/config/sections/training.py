"""``training:`` and ``regularization:`` how long, in which batches, with which penalty."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.durations import Timeline
from bmtrain.config.sections.augmentation import Augmentation
from bmtrain.config.sections.base import Section

BatchSize = Annotated[int, Field(ge=1, le=2**31 - 1)]
ClassWeight = Annotated[float, Field(ge=0)]
L2Convention = Literal["mean", "sum", "half"]
Precision = Literal["float32", "mixed_bfloat16"]


class RegularizationSection(Section):
    """The L2 penalty over kernels; never over biases, gammas or betas.

    mean: λ/(2m)·Σw², m the number of training examples.
    sum: λ·Σw², as ``keras.regularizers.L2``.
    half: λ/2·Σw², as PyTorch's weight_decay under SGD.
    """

    l2_lambda: Annotated[float, Field(ge=0)] = Field(default=0.0, description="λ ≥ 0; 0: none.")
    l2_convention: L2Convention = Field(
        default="mean",
        description="mean: λ/(2m)·Σw²; sum: λ·Σw² (Keras); half: λ/2·Σw² (PyTorch).",
    )


class EarlyStopping(Section):
    """Stop when the monitored figure has not improved for ``patience`` epochs."""

    monitor: str = Field(
        default="validation.loss",
        pattern=r"^(train|validation)\.[a-z0-9_]+$",
        description="SPLIT.METRIC, e.g. validation.loss or validation.accuracy.",
    )
    patience: Annotated[int, Field(ge=0)] = Field(
        default=5, description="Epochs without improvement before stopping."
    )
    min_delta: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="An improvement must be larger than this."
    )
    mode: Literal["auto", "min", "max"] = Field(
        default="auto", description="auto: max for accuracies, min for all else."
    )
    restore_best: bool = Field(
        default=True, description="Evaluate the best epoch's weights, not the last's."
    )


class CheckpointSection(Section):
    """When the training is saved besides its end; never a reason for another bit in its result."""

    every_epochs: Annotated[int, Field(ge=1, le=1_000_000)] | Literal["auto"] = Field(
        default="auto",
        description="After so many epochs; auto: after each, while that takes at most 5 % of the "
        "training time.",
    )
    every_steps: Annotated[int, Field(ge=1, le=2**53)] | None = Field(
        default=None, description="After so many steps of the whole training, too."
    )
    every_minutes: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="When the last save is so many minutes old, too."
    )
    keep: Annotated[int, Field(ge=2, le=10_000)] = Field(
        default=2, description="How many of the newest stay; the best stays always."
    )


class TrainingSection(Section):
    """Epochs, batches and the engine."""

    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="How often the training goes over all training examples."
    )
    batch_size: BatchSize | Literal["full"] = Field(
        default=32, description="Examples per step; full: batch gradient descent."
    )
    class_weight: Literal["balanced"] | dict[str, ClassWeight] | None = Field(
        default=None,
        description="What an example of a class counts in the loss, 1 where it is not named; "
        "balanced: m/(K·m_c), m training examples of K classes, m_c of them of class c.",
    )
    engine: Literal["auto", "xla", "graph"] = Field(
        default="auto", description="How the steps are compiled; auto is recorded in run.json."
    )
    precision: Precision = Field(
        default="float32",
        description="What layers compute in. mixed_bfloat16: weights and optimizer float32, all "
        "layers but the last bfloat16, the last and the loss float32; the exponent is that of "
        "float32, so no loss is scaled. Faster on GPUs that have it, slower on most processors.",
    )
    threads: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        default="auto", description="CPU threads; they change bits, so they are recorded."
    )
    device: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="auto: a GPU if there is one."
    )
    steps_per_call: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        default="auto",
        description="Steps per compiled call; auto: about 0.2 s. It never changes a result.",
    )
    augmentation: tuple[Augmentation, ...] = Field(
        default=(),
        max_length=20,
        description="How training examples are varied in each epoch, in this order; shift, rotate "
        "and zoom are one resampling, at the first of them.",
    )
    early_stopping: EarlyStopping | None = Field(
        default=None, description="When to end before the last epoch; null: never."
    )
    checkpoint: CheckpointSection = Field(
        default_factory=CheckpointSection, description="When the training is saved."
    )

    def examples_per_step(self, num_examples: int) -> int:
        """Of so many training examples; no more than there are."""
        return num_examples if self.batch_size == "full" else min(self.batch_size, num_examples)

    def timeline(self, num_examples: int) -> Timeline:
        """The steps of a training on so many examples; the last of an epoch may be short."""
        return Timeline(-(-num_examples // self.examples_per_step(num_examples)), self.epochs)

    @property
    def monitor(self) -> str:
        """The figure that decides what is best: early stopping's, else the validation loss."""
        return (self.early_stopping or EarlyStopping()).monitor
