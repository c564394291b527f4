"""The training loop: for each epoch, order, steps, evaluation, and what follows from it.

A generator of events that knows no files. Between any two events the weights,
the optimizer and ``TrainingLoop.state`` belong together: whoever consumes the
events may save then, or stop.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.training import TrainingSection
from bmtrain.data.examples.dataset import Dataset
from bmtrain.data.splits.order import epoch_order
from bmtrain.engine.evaluation import Evaluator
from bmtrain.engine.monitoring import is_improvement, monitored_value
from bmtrain.engine.plateau import after_epoch
from bmtrain.engine.steps import CompiledSteps, figures_from_sums
from bmtrain.errors import TrainingDiverged
from bmtrain.events import EpochDone, Event, StepsDone, StoppedEarly
from bmtrain.models.optimizers import learning_rate_at, schedule_of
from bmtrain.models.problem import Problem
from bmtrain.training_state import Plateau, TrainingState

#: A compiled call should take about this long: progress, signals and saves happen between calls.
CALL_S = 0.2


@dataclass(slots=True)
class CallLength:
    """Steps per compiled call: fixed, or grown until a call takes ``CALL_S``.

    Every multiple of ``pause_every`` steps of the whole training ends a call.
    """

    fixed: int | None
    pause_every: int | None = None
    steps: int = 16

    def next(self, remaining: int, step: int) -> int:
        """Steps of the next call, which begins at ``step``; no more than ``remaining``."""
        if self.pause_every is not None:
            remaining = min(remaining, self.pause_every - step % self.pause_every)
        return min(self.fixed or self.steps, remaining)

    def learn(self, steps: int, elapsed_s: float) -> None:
        """At most eightfold at once: the first calls are not typical."""
        ideal = int(steps * CALL_S / max(elapsed_s, 1e-6))
        self.steps = max(1, min(ideal, 8 * steps))


class TrainingLoop:
    """Trains a problem on a dataset from ``state`` on; iterate over ``events()``."""

    def __init__(
        self,
        problem: Problem,
        dataset: Dataset,
        steps: CompiledSteps,
        evaluator: Evaluator,
        training: TrainingSection,
        state: TrainingState,
    ) -> None:
        self._problem = problem
        self._dataset = dataset
        self._steps = steps
        self._evaluator = evaluator
        self._training = training
        self.state = state
        self._follow_plateau()
        self.train_s = 0.0  # in compiled training calls, this process
        self._num_examples_done = 0  # in this process
        fixed = training.steps_per_call
        self._call_length = CallLength(
            None if fixed == "auto" else fixed, pause_every=training.checkpoint.every_steps
        )

    def events(self) -> Iterator[Event]:
        """StepsDone after each call, EpochDone after each epoch, StoppedEarly at an early end.

        Raises:
            TrainingDiverged: a loss or a weight is not finite.
        """
        num_examples = self._dataset.splits["train"].num_examples
        while self._goes_on():
            order = epoch_order(num_examples, seed=self._problem.seed, epoch=self.state.epoch)
            before_s, before = self.train_s, self._num_examples_done
            yield from self._run_steps(order)
            # A resumed epoch is timed from where it was gone on with.
            epoch_s = self.train_s - before_s
            yield self._end_epoch(epoch_s, self._num_examples_done - before)
            if self.state.stopped_early:
                yield self._stopped_early()

    def train_again(self, start: TrainingState, epoch: int) -> None:
        """Run the epochs after ``start``, the end of one, up to ``epoch``; the state stays.

        The variables must have the values that they had at ``start``.
        """
        num_examples = self._dataset.splits["train"].num_examples
        first_step = start.step
        for done in range(start.epoch, epoch):
            order = epoch_order(num_examples, seed=self._problem.seed, epoch=done)
            steps = range(self._steps.steps_per_epoch)
            self._steps.run(order, steps, first_step, np.zeros(self._steps.num_sums))
            first_step += len(steps)

    def close(self) -> None:
        """End what prepares the next steps; nothing is run any more."""
        self._steps.close()

    def _goes_on(self) -> bool:
        return self.state.epoch < self._training.epochs and not self.state.stopped_early

    def _run_steps(self, order: NDArray[np.int32]) -> Iterator[Event]:
        sums = self._sums_from_state()
        epoch_start = self.state.step - self.state.step_in_epoch
        while (done := self.state.step_in_epoch) < self._steps.steps_per_epoch:
            count = self._call_length.next(self._steps.steps_per_epoch - done, self.state.step)
            began = time.perf_counter()
            result = self._steps.run(order, range(done, done + count), epoch_start, sums)
            elapsed_s = time.perf_counter() - began
            self._check_finite(result.failed_step, result.weights_finite, done + count)
            self._call_length.learn(count, elapsed_s)
            self.train_s += elapsed_s
            self._num_examples_done += int(result.sums[0] - sums[0])
            sums = result.sums
            self.state = replace(
                self.state,
                step=self.state.step + count,
                step_in_epoch=done + count,
                accumulators=dict(zip(self._sum_names(), sums.tolist(), strict=True)),
            )
            yield self._steps_done(sums)

    def _sum_names(self) -> tuple[str, ...]:
        return ("examples", "loss", "penalty", *self._problem.metrics)

    def _sums_from_state(self) -> NDArray[np.float64]:
        saved = self.state.accumulators
        return np.array([saved.get(name, 0.0) for name in self._sum_names()])

    def _check_finite(self, failed_step: int | None, weights_finite: bool, done: int) -> None:
        if failed_step is None and weights_finite:
            return
        what = "the weights are" if failed_step is None else "the loss is"
        in_epoch = done if failed_step is None else failed_step + 1
        step = self.state.step - self.state.step_in_epoch + in_epoch
        raise TrainingDiverged(
            f"{what} not finite at step {step:,} (epoch {self.state.epoch + 1:,}, "
            f"step {in_epoch:,} of {self._steps.steps_per_epoch:,})",
            hint="a smaller optimizer.learning_rate is the usual remedy",
        )

    def _end_epoch(self, epoch_s: float, num_examples: int) -> EpochDone:
        figures = figures_from_sums(self._problem, self._sums_from_state())
        validation = self._dataset.splits.get("validation")
        measured = self._evaluator.evaluate(validation).figures if validation else None
        if measured is not None and not np.isfinite(measured["loss"]):
            raise TrainingDiverged(
                f"the validation loss is not finite after epoch {self.state.epoch + 1:,} "
                f"(step {self.state.step:,})",
                hint="a smaller optimizer.learning_rate is the usual remedy",
            )
        learning_rate = learning_rate_at(self._problem.optimizer, self.state.step - 1)
        improved = self._advance({"train": figures, "validation": measured})
        return EpochDone(
            epoch=self.state.epoch,
            num_epochs=self._training.epochs,
            step=self.state.step,
            train=figures,
            validation=measured,
            learning_rate=learning_rate,
            epoch_s=epoch_s,
            examples_per_s=num_examples / max(epoch_s, 1e-9),
            improved=improved,
        )

    def _advance(self, figures: dict[str, dict[str, float] | None]) -> bool:
        """Move the state past the epoch; whether the monitored figure improved."""
        state = replace(self.state, epoch=self.state.epoch + 1, step_in_epoch=0, accumulators={})
        state = replace(state, plateau=self._plateau_after(figures))
        value = monitored_value(self._training.monitor, figures)
        improved = value is not None and is_improvement(
            self._training, value, state.best_value, self._problem.more_is_better
        )
        if improved:
            state = replace(
                state,
                best_value=value,
                best_epoch=state.epoch,
                best_step=state.step,
                epochs_without_improvement=0,
            )
        elif value is not None:
            waited = state.epochs_without_improvement + 1
            stopping = self._training.early_stopping
            stop = stopping is not None and waited >= max(1, stopping.patience)
            state = replace(state, epochs_without_improvement=waited, stopped_early=stop)
        self.state = state
        self._follow_plateau()
        return improved

    def _plateau_after(self, figures: dict[str, dict[str, float] | None]) -> Plateau:
        config = self._problem.plateau
        value = None if config is None else monitored_value(config.monitor, figures)
        if config is None or value is None:
            return self.state.plateau
        return after_epoch(config, self.state.plateau, value, self._problem.more_is_better)

    def _follow_plateau(self) -> None:
        """Of the learning rate, the next step's."""
        schedule = schedule_of(self._problem.optimizer)
        if schedule is not None:
            schedule.reduced(self.state.plateau.reductions)

    def _stopped_early(self) -> StoppedEarly:
        return StoppedEarly(
            epoch=self.state.epoch,
            best_epoch=self.state.best_epoch or self.state.epoch,
            monitor=self._training.monitor,
        )

    def _steps_done(self, sums: NDArray[np.float64]) -> StepsDone:
        rate = self._num_examples_done / max(self.train_s, 1e-9)
        total = self._training.epochs * self._dataset.splits["train"].num_examples
        done = self.state.epoch * self._dataset.splits["train"].num_examples + sums[0]
        return StepsDone(
            epoch=self.state.epoch + 1,
            num_epochs=self._training.epochs,
            step=self.state.step_in_epoch,
            steps_per_epoch=self._steps.steps_per_epoch,
            figures=figures_from_sums(self._problem, sums),
            examples_per_s=rate,
            remaining_s=float(total - done) / max(rate, 1e-9),
        )
