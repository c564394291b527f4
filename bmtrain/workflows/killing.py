"""Killing a training at an instant that was aimed at, and telling in which phase it was."""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from typing import IO

from bmtrain.errors import BmtrainError, EnvironmentFault
from bmtrain.workflows.observed_training import DONE, PHASES, SAVING, ObservedTraining


@dataclass(frozen=True, slots=True)
class Aim:
    """Kill ``wait_s`` seconds after the ``number``-th time that a start enters ``phase``."""

    phase: bytes
    number: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen of a start.

    Attributes:
        killed_in: the phase in which it was killed; None if it ended by itself, or was
            over when the kill came.
        steps_s: seconds from its first step, or first save, to its last sign of life.
        save_s: seconds of its first save that was seen whole.
    """

    killed_in: str | None
    steps_s: float
    save_s: float | None


def watch(child: ObservedTraining, aim: Aim | None) -> Watched:
    """Follow a training to its end, or kill it when the aim says so."""
    told = b""
    told_at: list[float] = []
    deadline: float | None = None
    while True:
        wait_s = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([child.phases], [], [], wait_s)[0]:
            child.process.kill()
            child.process.wait()
            told += child.phases.read()  # what it still said before it died
            return _watched(told, told_at, killed_in=_phase_of(told))
        news = child.phases.read(1)
        if not news:
            child.process.wait()
            return _watched(told, told_at, killed_in=None)
        told += news
        told_at.append(time.monotonic())
        if aim is not None and deadline is None and told.count(aim.phase) == aim.number:
            deadline = time.monotonic() + aim.wait_s


def _phase_of(told: bytes) -> str | None:
    """Where a killed training was, from all that it told; None where it was over."""
    if told.endswith(DONE):
        return None
    return PHASES[told[-1:]] if told else "starting"


def _watched(told: bytes, told_at: list[float], *, killed_in: str | None) -> Watched:
    first_save = told.find(SAVING)
    saw_save = 0 <= first_save < len(told_at) - 1
    return Watched(
        killed_in=killed_in,
        steps_s=told_at[-1] - told_at[0] if told_at else 0.0,
        save_s=told_at[first_save + 1] - told_at[first_save] if saw_save else None,
    )


def require_completed(child: ObservedTraining, errors: IO[bytes]) -> None:
    """A missed expectation is no reason to stop: what counts are bits.

    Raises:
        BmtrainError: it ended otherwise, with its exit code and its last words.
    """
    exit_code = child.process.wait()
    if exit_code in (0, 4):
        return
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    said = lines[-1] if lines else "it said nothing"
    if exit_code < 0:
        raise EnvironmentFault(f"the training was ended by signal {-exit_code}: {said}")
    failure = BmtrainError(f"the training ended with exit code {exit_code}: {said}")
    failure.exit_code = exit_code  # type: ignore[misc]  # as train would end
    raise failure
