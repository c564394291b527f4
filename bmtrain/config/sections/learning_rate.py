"""``optimizer.learning_rate:`` a number, or how the step size α follows from the step.

s is the step from 0, W the warm-up's steps, in which the rate rises from 0 in proportion to s.
What has a position (``duration``, ``boundaries``) counts from the training's beginning, what
has a period (``every``, ``first``) from the warm-up's end.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bmtrain.config.durations import DurationText
from bmtrain.config.sections.base import Section

Rate = Annotated[float, Field(gt=0)]
_FORM = "'500 steps', '2 epochs' or '10%' of the training"
_WARMUP = f"The rate rises from 0 for so long, in proportion to the step: {_FORM}."
_INITIAL = "The rate after the warm-up, > 0."
_DURATION = f"The rate is at its end then, counted from the training's beginning: {_FORM}."
DecayRate = Annotated[
    float, Field(gt=0, lt=1, description="What the rate is multiplied by each time, 0 < … < 1.")
]
Alpha = Annotated[
    float, Field(ge=0, le=1, description="What is left at the end, as a share of initial.")
]


class Schedule(Section):
    """What every schedule has."""

    name: str
    initial: Rate = Field(description=_INITIAL)
    warmup: DurationText = Field(default="0 steps", description=_WARMUP)


class Constant(Schedule):
    """The same rate in all steps after the warm-up."""

    name: Literal["constant"]


class StepDecay(Schedule):
    """initial · decay_rate^⌊(s − W)/every⌋."""

    name: Literal["step"]
    every: DurationText = Field(description=f"Between two reductions: {_FORM}.")
    decay_rate: DecayRate = 0.1


class ExponentialDecay(Schedule):
    """initial · decay_rate^((s − W)/every)."""

    name: Literal["exponential"]
    every: DurationText = Field(description=f"In which it becomes decay_rate times less: {_FORM}.")
    decay_rate: DecayRate = 0.96


class Piecewise(Section):
    """``values[i]`` from ``boundaries[i − 1]`` on."""

    name: Literal["piecewise"]
    boundaries: tuple[DurationText, ...] = Field(
        min_length=1,
        max_length=100,
        description=f"Where the next value begins, rising; each {_FORM}.",
    )
    values: tuple[Rate, ...] = Field(
        min_length=2, max_length=101, description="One more than there are boundaries."
    )
    warmup: DurationText = Field(default="0 steps", description=_WARMUP)


class Cosine(Schedule):
    """initial · ((1 − alpha)·½(1 + cos πp) + alpha), p from 0 to 1 (Loshchilov & Hutter 2016)."""

    name: Literal["cosine"]
    duration: DurationText = Field(default="100%", description=_DURATION)
    alpha: Alpha = 0.0


class CosineRestarts(Schedule):
    """A cosine that begins anew, t_mul times as long and m_mul times as high each time."""

    name: Literal["cosine_restarts"]
    first: DurationText = Field(description=f"How long the first one is: {_FORM}.")
    t_mul: Annotated[float, Field(ge=1, le=1000)] = Field(
        default=2.0, description="How many times as long each next one is, ≥ 1."
    )
    m_mul: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="How many times as high, > 0, ≤ 1."
    )
    alpha: Alpha = 0.0


class Polynomial(Schedule):
    """(initial − end)·(1 − p)^power + end, p from 0 to 1; power 1 is a straight line."""

    name: Literal["polynomial"]
    duration: DurationText = Field(default="100%", description=_DURATION)
    end: Annotated[float, Field(ge=0)] = Field(
        default=0.0001, description="The rate at the end, ≥ 0."
    )
    power: Annotated[float, Field(gt=0, le=100)] = Field(
        default=1.0, description="1: a straight line; more: a faster fall at first."
    )


class OneCycle(Section):
    """A cosine up to ``maximum``, and one down to next to nothing (Smith & Topin 2018)."""

    name: Literal["one_cycle"]
    maximum: Rate = Field(description="The rate at its highest, > 0.")
    warmup: DurationText = Field(default="30%", description=f"Until it is highest: {_FORM}.")
    duration: DurationText = Field(default="100%", description=_DURATION)
    div_factor: Annotated[float, Field(ge=1)] = Field(
        default=25.0, description="The first rate is maximum / div_factor."
    )
    final_div_factor: Annotated[float, Field(ge=1)] = Field(
        default=1e4, description="The last is that, divided by this."
    )


class ReduceOnPlateau(Schedule):
    """``factor`` times less when the monitored figure has not improved for ``patience`` epochs."""

    name: Literal["reduce_on_plateau"]
    monitor: str = Field(
        default="validation.loss",
        pattern=r"^(train|validation)\.[a-z0-9_]+$",
        description="SPLIT.METRIC, e.g. validation.loss or validation.accuracy.",
    )
    mode: Literal["auto", "min", "max"] = Field(
        default="auto", description="auto: max for what is better when it is more, else min."
    )
    factor: DecayRate = 0.1
    patience: Annotated[int, Field(ge=1)] = Field(
        default=10, description="Epochs without improvement before a reduction."
    )
    min_delta: Annotated[float, Field(ge=0)] = Field(
        default=1e-4, description="An improvement must be larger than this."
    )
    cooldown: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Epochs after a reduction in which patience is not tried."
    )
    min_lr: Annotated[float, Field(ge=0)] = Field(default=0.0, description="It is never less.")


AnySchedule = (
    Constant
    | StepDecay
    | ExponentialDecay
    | Piecewise
    | Cosine
    | CosineRestarts
    | Polynomial
    | OneCycle
    | ReduceOnPlateau
)

LearningRate = Annotated[
    Annotated[float, Field(gt=0)] | Annotated[AnySchedule, Field(discriminator="name")],
    Field(description="Step size α, > 0; or a schedule, {name: cosine, initial: 0.001}."),
]

#: Keys of schedules that hold a duration.
_TIMES = ("warmup", "duration", "every", "first")


def durations(schedule: AnySchedule) -> dict[tuple[str | int, ...], str]:
    """Every duration of a schedule by its key, below the schedule."""
    found: dict[tuple[str | int, ...], str] = {
        (key,): getattr(schedule, key) for key in _TIMES if hasattr(schedule, key)
    }
    if isinstance(schedule, Piecewise):
        found |= {("boundaries", i): text for i, text in enumerate(schedule.boundaries)}
    return found
