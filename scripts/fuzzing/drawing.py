"""The engine that draws inputs and shrinks the faulty ones: Hypothesis."""

from __future__ import annotations

import time

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings, target
from hypothesis.errors import Flaky

from fuzzing.files import Files, num_bytes
from fuzzing.hunting import Hunt, signature
from fuzzing.judging import Verdict

#: Inputs that one run of Hypothesis draws; the next starts from what was found.
_INPUTS_PER_ROUND = 400
_SHRINK_SECONDS = 30.0


class _TimeIsUp(BaseException):
    """Ends a run of Hypothesis, which goes on after exceptions."""


class _Faulty(Exception):
    """The input shows the fault that is looked for."""


def hunt_by_drawing(hunt: Hunt, deadline: float, first_seed: int) -> None:
    """Rounds of Hypothesis until ``deadline``; each ends with at most one fault, shrunk."""
    number = first_seed
    while time.monotonic() < deadline:
        _Round(hunt, deadline).run(number)
        number += 1


class _Round:
    """One run of Hypothesis."""

    def __init__(self, hunt: Hunt, deadline: float) -> None:
        self._hunt = hunt
        self._deadline = deadline
        self._first: tuple[Files, Verdict] | None = None
        self._smallest: tuple[Files, Verdict] | None = None

    def run(self, number: int) -> None:
        """Draw; settle the fault that was found, if there was one."""

        @seed(number)
        @settings(
            max_examples=_INPUTS_PER_ROUND,
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            print_blob=False,
            phases=(Phase.generate, Phase.target, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(self._hunt.target.inputs(self._hunt.seeds))
        def attempt(files: Files) -> None:
            self._attempt(files)

        try:
            attempt()
        except (_TimeIsUp, _Faulty, Flaky):
            self._settle()

    def _attempt(self, files: Files) -> None:
        if time.monotonic() >= self._deadline:
            raise _TimeIsUp
        # One line raises: to Hypothesis, faults of two lines are two.
        if self._first_fault(files) if self._first is None else self._same_fault(files):
            raise _Faulty

    def _first_fault(self, files: Files) -> bool:
        fault = self._hunt.confirmed(files, self._hunt.judge(files))
        if fault is None:
            # Hypothesis climbs towards inputs that take long, or much memory.
            target(self._hunt.seconds, label="seconds")
            target(self._hunt.growth_bytes / 1e6, label="MB")
            return False
        self._first = self._smallest = (files, fault)
        self._deadline = time.monotonic() + _SHRINK_SECONDS
        return True

    def _same_fault(self, files: Files) -> bool:
        assert self._first is not None
        assert self._smallest is not None
        fault = self._hunt.judge(files)
        if fault is None or signature(fault) != signature(self._first[1]):
            return False
        if num_bytes(files) <= num_bytes(self._smallest[0]):
            self._smallest = (files, fault)
        return True

    def _settle(self) -> None:
        if self._first is None or self._smallest is None:
            return
        # What was shrunk is slow or large by little, and maybe only now and then.
        confirmed = self._hunt.confirmed(*self._smallest) is not None
        self._hunt.settle(*(self._smallest if confirmed else self._first))
