"""Many training steps in one compiled call.

``Model.fit`` dispatches every step from Python. Here a ``tf.while_loop`` runs
steps [start, stop) of an epoch inside one compiled function; the bounds are
run-time arguments, so their values never compile anything again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import Split
from bmtrain.engine.compiled import Compiled
from bmtrain.engine.feeding import Order, feed_of
from bmtrain.engine.lowerings.table import forward_in_training
from bmtrain.engine.placement import SingleDevice
from bmtrain.models.losses import encode_targets
from bmtrain.models.optimizers import takes_whole_gradients
from bmtrain.models.preprocessing import apply_preprocessing
from bmtrain.models.problem import Problem


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call of the compiled loop leaves behind.

    Attributes:
        sums: float64 (3 + metrics,): examples, then Σ over examples of (weighted) loss,
            penalty and each metric since the epoch began.
        failed_step: step of the epoch whose objective was not finite, or None.
        weights_finite: whether every weight is finite after the call.
    """

    sums: NDArray[np.float64]
    failed_step: int | None
    weights_finite: bool


class CompiledSteps:
    """Runs steps of one problem over one training split, resident or streamed.

    The last batch of an epoch is a short batch where the batch size does not
    divide the examples; it has a compiled function of its own.
    """

    def __init__(
        self,
        problem: Problem,
        train: Split,
        placement: SingleDevice,
        *,
        batch_size: int,
        jit_compile: bool,
        lowerings: Collection[str],
    ) -> None:
        self._problem = problem
        self._lowerings = frozenset(lowerings)
        self._placement = placement
        arrays = (train.labels, train.weights)
        #: What a step gathers its examples from beside the features: labels, weights if any.
        self._arrays = tuple(placement.put(array) for array in arrays if array is not None)
        self.batch_size = batch_size
        self.num_full_steps, short = divmod(train.num_examples, batch_size)
        self.steps_per_epoch = self.num_full_steps + (short > 0)
        self._feed = feed_of(
            train.features,
            placement,
            batch_size=batch_size,
            steps_per_epoch=self.steps_per_epoch,
        )
        self._order: tuple[Order, tf.Tensor] | None = None
        self.num_sums = 3 + len(problem.metrics)
        #: Traces of each compiled function; one each, whatever the bounds.
        self.trace_counts = {"full": 0, "short": 0}
        self._full = self._compile("full", batch_size, jit_compile=jit_compile)
        self._short = self._compile("short", short, jit_compile=jit_compile)

    def warm_up(self, num_examples: int) -> None:
        """Compile what an epoch needs; runs no step."""
        order = self._on_device(np.arange(num_examples, dtype=np.int32))
        data = (self._feed.blank(), *self._arrays, order)
        sums = np.zeros(self.num_sums)
        if self.num_full_steps:
            self._call(self._full, data, (0, 0, 0, 0), sums)
        if self.steps_per_epoch > self.num_full_steps:
            self._call(self._short, data, (0, 0, 0, 0), sums)

    def run(
        self,
        order: NDArray[np.int32],
        steps: range,
        first_step: int,
        sums: NDArray[np.float64],
    ) -> CallResult:
        """Run ``steps`` (consecutive, at least one) of the epoch in ``order``.

        Args:
            order: example numbers (examples,), the epoch's order.
            first_step: steps of the whole training before this epoch.
            sums: ``CallResult.sums`` of the call before; zeros at an epoch's start.
        """
        result = CallResult(sums, None, weights_finite=True)
        start = steps.start
        while start < steps.stop and result.failed_step is None:
            number, within = divmod(start, self._feed.steps_per_block)
            stop = min(steps.stop, start - within + self._feed.steps_per_block)
            if start < self.num_full_steps:
                stop = min(stop, self.num_full_steps)
            data = (self._feed.block(order, number), *self._arrays, self._on_device(order))
            bounds = (start, stop, first_step, (start - within) * self.batch_size)
            function = self._full if start < self.num_full_steps else self._short
            result = self._call(function, data, bounds, result.sums)
            start = stop
        return result

    def close(self) -> None:
        """End what prepares the next steps."""
        self._feed.close()

    def _on_device(self, order: Order) -> tf.Tensor:
        """An epoch's order; it is put there once."""
        if self._order is None or self._order[0] is not order:
            self._order = order, self._placement.put(order)
        return self._order[1]

    def _call(
        self,
        function: Callable[..., tuple[tf.Tensor, ...]],
        data: tuple[tf.Tensor, ...],
        bounds: tuple[int, int, int, int],
        sums: NDArray[np.float64],
    ) -> CallResult:
        with self._placement.scope():
            new_sums, failed_step, finite = function(
                data, tf.constant(bounds, tf.int64), tf.constant(sums, tf.float64)
            )
        failed = int(failed_step.numpy())
        return CallResult(new_sums.numpy(), None if failed < 0 else failed, bool(finite.numpy()))

    def _compile(self, name: str, size: int, *, jit_compile: bool) -> Compiled:
        """The compiled loop over batches of ``size`` examples.

        It takes (block of features, labels, weights if any, order), the bounds (start, stop,
        first step of the epoch, position in the epoch of the block's first example) int64, and
        the sums.
        """

        def run_steps(
            data: tuple[tf.Tensor, ...], bounds: tf.Tensor, sums: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            self.trace_counts[name] += 1
            block, *arrays, order = data

            def goes_on(step: tf.Tensor, _sums: tf.Tensor, failed: tf.Tensor) -> tf.Tensor:
                return tf.logical_and(step < bounds[1], failed < 0)

            def body(step: tf.Tensor, sums: tf.Tensor, failed: tf.Tensor) -> tuple[tf.Tensor, ...]:
                position = step * self.batch_size
                examples = tf.slice(order, [position], [size])
                features = self._feed.batch(block, examples, position - bounds[3])
                beside = [tf.gather(array, examples) for array in arrays]
                additions, objective = self._train_step(
                    examples, bounds[2] + step, features, *beside
                )
                failed = tf.where(tf.math.is_finite(objective), failed, step)
                return step + 1, sums + additions, failed

            initial = (bounds[0], sums, tf.constant(-1, tf.int64))
            _, sums, failed = tf.while_loop(goes_on, body, initial)
            return sums, failed, self._weights_finite()

        return self._placement.compiled(run_steps, jit_compile=jit_compile)

    def _train_step(
        self,
        examples: tf.Tensor,
        step: tf.Tensor,
        features: tf.Tensor,
        labels: tf.Tensor,
        weights: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One step on one batch; returns what it adds to the sums, and the objective.

        J = (1/m)·Σ w_i·ℓ_i + penalty over the batch's m examples, w_i = 1 without weights.
        ``examples`` are their numbers in the training split, ``step`` is of the whole training.
        """
        problem = self._problem
        inputs = self._inputs(features, examples, step // self.steps_per_epoch)
        targets = encode_targets(
            labels, loss_name=problem.loss_name, num_classes=problem.num_classes
        )
        variables = problem.model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = forward_in_training(problem, inputs, step, self._lowerings)
            losses = problem.loss(targets, outputs)
            if weights is not None:
                losses *= weights
            penalty = problem.penalty()
            objective = tf.reduce_mean(losses) + penalty
        gradients = tape.gradient(objective, variables)
        if takes_whole_gradients(problem.optimizer):
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        problem.optimizer.apply(gradients, variables)
        size = tf.cast(tf.shape(losses)[0], tf.float32)
        values = [m.per_example(labels, outputs) for m in problem.metrics.values()]
        sums = [size, tf.reduce_sum(losses), size * penalty, *map(tf.reduce_sum, values)]
        return tf.cast(tf.stack(sums), tf.float64), objective

    def _inputs(self, features: tf.Tensor, examples: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        """Scaled, and varied where the config says so; ``epoch`` from 0."""
        preprocessing, augmentor = self._problem.preprocessing, self._problem.augmentor
        if augmentor is None:
            return apply_preprocessing(preprocessing, features)
        features = augmentor.features(features, examples, epoch)
        return augmentor.inputs(apply_preprocessing(preprocessing, features), examples, epoch)

    def _weights_finite(self) -> tf.Tensor:
        checks = [
            tf.reduce_all(tf.math.is_finite(v.value))
            for v in self._problem.model.trainable_variables
        ]
        return tf.reduce_all(tf.stack(checks)) if checks else tf.constant(True)


def figures_from_sums(problem: Problem, sums: NDArray[np.float64]) -> dict[str, float]:
    """Running means over the epoch: loss, penalty, their sum, and the metrics."""
    num_examples, loss, penalty, *metrics = sums.tolist()
    figures = {"loss": loss / num_examples, "penalty": penalty / num_examples}
    figures["objective"] = figures["loss"] + figures["penalty"]
    for (name, metric), total in zip(problem.metrics.items(), metrics, strict=True):
        figures[name] = metric.finish(total / num_examples)
    return figures
