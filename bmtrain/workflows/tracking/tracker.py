"""What a tracker is, and what it is told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.runs.directory import RunDirectory
from bmtrain.workflows.preparation import Prepared


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """The run whose figures are to come.

    Attributes:
        step: the training begins after it; 0 where it begins anew.
        facts: dotted name -> value, of what ran where.
    """

    experiment: ExperimentConfig
    directory: RunDirectory
    step: int
    facts: Mapping[str, str]


def tracked_run(
    prepared: Prepared, directory: RunDirectory, step: int, engine: Mapping[str, Any]
) -> TrackedRun:
    """The run with what is known of it once its engine is chosen."""
    facts = {f"engine.{name}": str(value) for name, value in engine.items()}
    facts["data.fingerprint"] = prepared.dataset.facts.fingerprint
    return TrackedRun(prepared.experiment, directory, step, facts)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training ended; ``summary`` where it completed."""

    status: Literal["finished", "failed", "killed"]
    summary: Mapping[str, Any] | None = None


class Tracker(Protocol):
    """What takes figures at steps of the whole training."""

    def scalars(self, step: int, figures: Mapping[str, float]) -> None:
        """Take figures; the name is ``SPLIT/METRIC`` or a word."""
        ...

    def listen(self) -> None:
        """Hear, without waiting, what came of what was given; raises what went wrong."""
        ...

    def close(self, outcome: Outcome) -> None:
        """No more come."""
        ...
