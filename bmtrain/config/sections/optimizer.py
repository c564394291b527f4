"""``optimizer:`` how the parameters follow the gradient; arguments as in Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.learning_rate import LearningRate

_Share = Annotated[float, Field(ge=0, lt=1)]
Beta = Annotated[
    _Share,
    Field(description="How much of the gradients' moving average stays in a step, 0 ≤ β < 1."),
]
Beta2 = Annotated[
    _Share,
    Field(description="How much of the moving average of their squares stays, 0 ≤ β < 1."),
]
Epsilon = Annotated[
    float, Field(gt=0, description="Added to what is divided by, so that it is never 0.")
]
Amsgrad = Annotated[
    bool, Field(description="Whether the largest average of squares so far counts (Reddi 2018).")
]
_DECAY = "Decoupled: in each step the weights become 1 − α·weight_decay times as large, ≥ 0."
WeightDecay = Annotated[float, Field(ge=0)]
OptionalDecay = Annotated[WeightDecay | None, Field(description=f"{_DECAY} null: they do not.")]
Momentum = Annotated[
    _Share, Field(description="How much of the last step is in the next one, 0 ≤ momentum < 1.")
]
Clip = Annotated[float, Field(gt=0)]

#: Variables that are not what a layer multiplies its inputs with, by their names in checkpoints.
Undecayed = Literal["bias", "gamma", "beta", "embeddings"]


class KerasOptimizer(Section):
    """What all of Keras's optimizers have."""

    name: str
    learning_rate: LearningRate = 0.001
    exclude_from_weight_decay: tuple[Undecayed, ...] = Field(
        default=(), max_length=4, description="Variables of these names are not decayed."
    )
    clipvalue: Clip | None = Field(
        default=None, description="Each number of the gradient is brought into ±clipvalue."
    )
    clipnorm: Clip | None = Field(
        default=None, description="Each variable's gradient is shortened to this norm."
    )
    global_clipnorm: Clip | None = Field(
        default=None, description="The whole gradient is shortened to this norm."
    )
    gradient_accumulation_steps: Annotated[int, Field(ge=2, le=1_000_000)] | None = Field(
        default=None,
        description="The weights follow the mean gradient of so many steps, in every so many-th.",
    )
    use_ema: bool = Field(
        default=False,
        description="Judge, keep and export a moving average of the weights: a ← momentum·a + "
        "(1 − momentum)·θ after each step, from the first step's weights on.",
    )
    ema_momentum: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.99, description="How much of the average stays in a step."
    )


class GradientDescent(Section):
    """θ ← θ − α·∇J(θ)."""

    name: Literal["gradient_descent"]
    learning_rate: LearningRate


class Sgd(KerasOptimizer):
    """Stochastic gradient descent with momentum, optionally Nesterov's."""

    name: Literal["sgd"]
    learning_rate: LearningRate = 0.01
    weight_decay: OptionalDecay = None
    momentum: Momentum = 0.0
    nesterov: bool = Field(
        default=False, description="Whether the gradient is that of where the momentum leads."
    )


class Adam(KerasOptimizer):
    """Kingma & Ba 2015; epsilon is their "epsilon hat"."""

    name: Literal["adam"]
    weight_decay: OptionalDecay = None
    beta_1: Beta = 0.9
    beta_2: Beta2 = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: Amsgrad = False


class AdamW(KerasOptimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    name: Literal["adamw"]
    weight_decay: WeightDecay = Field(default=0.004, description=_DECAY)
    beta_1: Beta = 0.9
    beta_2: Beta2 = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: Amsgrad = False


class RmsProp(KerasOptimizer):
    """Gradients over a moving root mean square of their size (Hinton 2012)."""

    name: Literal["rmsprop"]
    weight_decay: OptionalDecay = None
    rho: Beta2 = Field(
        default=0.9, description="How much of the average of squares stays in a step, 0 ≤ ρ < 1."
    )
    momentum: Momentum = 0.0
    epsilon: Epsilon = 1e-7
    centered: bool = Field(
        default=False,
        description="Whether the mean gradient is subtracted: then it is the variance.",
    )


class Adagrad(KerasOptimizer):
    """Gradients over the root of their accumulated squares (Duchi et al. 2011)."""

    name: Literal["adagrad"]
    weight_decay: OptionalDecay = None
    initial_accumulator_value: Annotated[float, Field(ge=0)] = Field(
        default=0.1, description="Where the sums of squares begin, ≥ 0."
    )
    epsilon: Epsilon = 1e-7


class Nadam(KerasOptimizer):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"]
    weight_decay: OptionalDecay = None
    beta_1: Beta = 0.9
    beta_2: Beta2 = 0.999
    epsilon: Epsilon = 1e-7


class Lion(KerasOptimizer):
    """The sign of an interpolated momentum (Chen et al. 2023)."""

    name: Literal["lion"]
    weight_decay: OptionalDecay = None
    beta_1: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.9, description="How much of the average is in a step's sign, 0 < β < 1."
    )
    beta_2: Beta = 0.99


class Muon(KerasOptimizer):
    """Orthogonalised momentum for matrices, AdamW for the rest (Jordan et al. 2024)."""

    name: Literal["muon"]
    adam_beta_1: Beta = 0.9
    adam_beta_2: Beta2 = 0.999
    epsilon: Epsilon = 1e-7
    weight_decay: WeightDecay = Field(default=0.004, description=_DECAY)
    adam_weight_decay: WeightDecay = Field(
        default=0.004, description="The same of what AdamW trains."
    )
    adam_lr_ratio: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="AdamW's rate is the learning rate times this, > 0."
    )
    momentum: Momentum = 0.95
    ns_steps: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="Newton–Schulz iterations that make the step orthogonal."
    )
    nesterov: bool = Field(
        default=True, description="Whether the momentum is applied once more before the step."
    )
    rms_rate: Annotated[float, Field(gt=0)] = Field(
        default=0.2, description="Of an update's root mean square (Liu et al. 2025)."
    )


Optimizer = Annotated[
    GradientDescent | Sgd | Adam | AdamW | RmsProp | Adagrad | Nadam | Lion | Muon,
    Field(discriminator="name"),
]
