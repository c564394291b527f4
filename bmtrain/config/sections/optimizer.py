"""``optimizer:`` how the parameters follow the gradient; arguments as in Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.learning_rate import LearningRate

Beta = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0)]
WeightDecay = Annotated[float, Field(ge=0, description="Decoupled decay per step, ≥ 0.")]


class GradientDescent(Section):
    """θ ← θ − α·∇J(θ)."""

    name: Literal["gradient_descent"]
    learning_rate: LearningRate


class Sgd(Section):
    """Stochastic gradient descent with momentum, optionally Nesterov's."""

    name: Literal["sgd"]
    learning_rate: LearningRate = 0.01
    momentum: Beta = 0.0
    nesterov: bool = False


class Adam(Section):
    """Kingma & Ba 2015; epsilon is their "epsilon hat"."""

    name: Literal["adam"]
    learning_rate: LearningRate = 0.001
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: bool = False


class AdamW(Section):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    name: Literal["adamw"]
    learning_rate: LearningRate = 0.001
    weight_decay: WeightDecay = 0.004
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7
    amsgrad: bool = False


class RmsProp(Section):
    """Gradients over a moving root mean square of their size (Hinton 2012)."""

    name: Literal["rmsprop"]
    learning_rate: LearningRate = 0.001
    rho: Beta = 0.9
    momentum: Beta = 0.0
    epsilon: Epsilon = 1e-7
    centered: bool = False


class Adagrad(Section):
    """Gradients over the root of their accumulated squares (Duchi et al. 2011)."""

    name: Literal["adagrad"]
    learning_rate: LearningRate = 0.001
    initial_accumulator_value: Annotated[float, Field(ge=0)] = 0.1
    epsilon: Epsilon = 1e-7


class Nadam(Section):
    """Adam with Nesterov momentum (Dozat 2016)."""

    name: Literal["nadam"]
    learning_rate: LearningRate = 0.001
    beta_1: Beta = 0.9
    beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7


class Lion(Section):
    """The sign of an interpolated momentum (Chen et al. 2023)."""

    name: Literal["lion"]
    learning_rate: LearningRate = 0.001
    beta_1: Annotated[float, Field(gt=0, lt=1)] = 0.9
    beta_2: Beta = 0.99


class Muon(Section):
    """Orthogonalised momentum for matrices, AdamW for the rest (Jordan et al. 2024)."""

    name: Literal["muon"]
    learning_rate: LearningRate = 0.001
    adam_beta_1: Beta = 0.9
    adam_beta_2: Beta = 0.999
    epsilon: Epsilon = 1e-7
    weight_decay: WeightDecay = 0.004
    adam_weight_decay: WeightDecay = 0.004
    adam_lr_ratio: Annotated[float, Field(gt=0)] = 1.0
    momentum: Beta = 0.95
    ns_steps: Annotated[int, Field(ge=1, le=100)] = 5
    nesterov: bool = True
    rms_rate: Annotated[float, Field(gt=0)] = Field(
        default=0.2, description="Of an update's root mean square (Liu et al. 2025)."
    )


Optimizer = Annotated[
    GradientDescent | Sgd | Adam | AdamW | RmsProp | Adagrad | Nadam | Lion | Muon,
    Field(discriminator="name"),
]
