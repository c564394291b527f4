"""Learning-rate schedules against the training they are for."""

from __future__ import annotations

from collections.abc import Iterator

from bmtrain.config.durations import Timeline, read_duration
from bmtrain.config.figure_checks import monitor_findings
from bmtrain.config.finding import Finding
from bmtrain.config.nodes import KeyPath
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.config.sections.learning_rate import (
    AnySchedule,
    CosineRestarts,
    ExponentialDecay,
    Piecewise,
    ReduceOnPlateau,
    StepDecay,
    durations,
)
from bmtrain.figures import count

SCHEDULE: KeyPath = ("optimizer", "learning_rate")


def schedule_findings(experiment: ExperimentConfig) -> Iterator[Finding]:
    """What can be told without the data, which decides how many steps an epoch has."""
    schedule = experiment.optimizer.learning_rate
    if isinstance(schedule, float):
        return
    if isinstance(schedule, ReduceOnPlateau):
        monitor = (*SCHEDULE, "monitor")
        yield from monitor_findings(schedule.monitor, schedule.mode, monitor, experiment)
        if schedule.patience >= experiment.training.epochs:
            training = count(experiment.training.epochs, "epoch")
            message = f"patience {schedule.patience:,} never reduces the rate in {training}"
            yield Finding((*SCHEDULE, "patience"), message, "warning")
    if isinstance(schedule, Piecewise) and len(schedule.values) != len(schedule.boundaries) + 1:
        yield Finding(
            (*SCHEDULE, "values"),
            f"expected {len(schedule.boundaries) + 1}, one more than there are boundaries, "
            f"got {len(schedule.values)}",
        )
    if not depends_on_steps(schedule):  # then a thousand steps an epoch tell what any number would
        epochs = experiment.training.epochs
        words = f"the training's {count(epochs, 'epoch')}"
        yield from _timed(schedule, Timeline(1000, epochs), words)


def depends_on_steps(schedule: AnySchedule) -> bool:
    """Whether only the data tells how long its durations are, beside those of the training."""
    found = map(read_duration, durations(schedule).values())
    return any(duration.unit == "steps" and duration.amount for duration in found)


def timed_findings(schedule: AnySchedule, timeline: Timeline) -> Iterator[Finding]:
    """Durations that are longer than the training, or of no step at all."""
    words = f"the training's {count(timeline.total_steps, 'step')}"
    yield from _timed(schedule, timeline, words)


def _timed(schedule: AnySchedule, timeline: Timeline, training: str) -> Iterator[Finding]:
    total, warmup = timeline.total_steps, timeline.steps(schedule.warmup)
    if warmup >= total:
        message = f"the warm-up must be shorter than {training}, got '{schedule.warmup}'"
        yield Finding((*SCHEDULE, "warmup"), message)
        return
    for key, text in durations(schedule).items():
        if key == ("warmup",):
            continue
        steps = timeline.steps(text)
        if steps == 0:
            yield Finding((*SCHEDULE, *key), f"expected at least a step, got '{text}'")
        elif key == ("duration",) and steps <= warmup:
            message = f"expected more than the warm-up's '{schedule.warmup}', got '{text}'"
            yield Finding((*SCHEDULE, *key), message)
        elif steps > total and not isinstance(schedule, ExponentialDecay):
            message = f"'{text}' is longer than {training}: {_lost(schedule)}"
            yield Finding((*SCHEDULE, *key), message, "warning")
    if isinstance(schedule, Piecewise):
        yield from _order(schedule, timeline)


def _order(schedule: Piecewise, timeline: Timeline) -> Iterator[Finding]:
    starts = [timeline.steps(text) for text in schedule.boundaries]
    for index in range(1, len(starts)):
        if starts[index] <= starts[index - 1]:
            before, text = schedule.boundaries[index - 1 : index + 1]
            message = f"expected more than the '{before}' before it, got '{text}'"
            yield Finding((*SCHEDULE, "boundaries", index), message)


def _lost(schedule: AnySchedule) -> str:
    match schedule:
        case Piecewise():
            return "its value is never used"
        case StepDecay():
            return "the rate is never reduced"
        case CosineRestarts():
            return "it never begins anew"
        case _:
            return "its end is never reached"
