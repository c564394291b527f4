"""A whole split through the model in inference mode: figures, and the outputs per example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import Split
from bmtrain.data.raw.streamed_rows import Features
from bmtrain.engine.placement import SingleDevice
from bmtrain.models.losses import encode_targets
from bmtrain.models.masking import call_layer, through_layers
from bmtrain.models.preprocessing import apply_preprocessing
from bmtrain.models.problem import Problem, averaged_weights


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over a whole split and the model's outputs (examples, outputs) float32."""

    figures: dict[str, float]
    outputs: NDArray[np.float32]


class Evaluator:
    """Evaluates splits with the problem's present weights, or their averages where it keeps any."""

    def __init__(self, problem: Problem, placement: SingleDevice, *, jit_compile: bool) -> None:
        self._problem = problem
        self._placement = placement
        #: Examples that are computed at once.
        self.block_size = problem.block_size
        self.trace_counts = {"evaluate": 0, "predict": 0}
        self._evaluate_block = placement.compiled(self._block_values, jit_compile=jit_compile)
        self._predict_block = placement.compiled(self._block_outputs, jit_compile=jit_compile)

    def warm_up(self, split: Split) -> None:
        """Compile what evaluating the split needs.

        XLA names compiled code after the functions traced before it: before the first step
        the names are the same in every run, and are found in the compilation cache.
        """
        for features, labels, _ in self._blocks(split.features[:1], split.labels[:1]):
            with self._placement.scope():
                self._evaluate_block(tf.constant(features), tf.constant(labels))

    def evaluate(self, split: Split) -> Evaluation:
        """Means over all examples, summed in float64 on the host; the loss is weighted."""
        with averaged_weights(self._problem):
            return self._evaluate(split)

    def _evaluate(self, split: Split) -> Evaluation:
        problem = self._problem
        totals = np.zeros(1 + len(problem.metrics))
        outputs = []
        done = 0
        for features, labels, size in self._blocks(split.features, split.labels):
            with self._placement.scope():
                values, block = self._evaluate_block(tf.constant(features), tf.constant(labels))
            of_block = values.numpy()[:, :size].astype(np.float64)
            if split.weights is not None:
                of_block[0] *= split.weights[done : done + size]
            done += size
            totals += of_block.sum(axis=1)
            outputs.append(block.numpy()[:size])
        loss, *metrics = (totals / split.num_examples).tolist()
        penalty = float(problem.penalty().numpy())
        figures = {"loss": loss, "penalty": penalty, "objective": loss + penalty}
        for (name, metric), mean in zip(problem.metrics.items(), metrics, strict=True):
            figures[name] = metric.finish(mean)
        of_split = np.concatenate(outputs)
        for name, figure in problem.split_figures.items():
            figures[name] = figure(of_split, split.labels)
        return Evaluation(figures, of_split)

    def predict(self, features: NDArray[np.generic]) -> NDArray[np.float32]:
        """The model's outputs (examples, outputs) for features without labels."""
        outputs = []
        with averaged_weights(self._problem), self._placement.scope():
            for block, _, size in self._blocks(features, np.zeros(len(features), np.int32)):
                outputs.append(self._predict_block(tf.constant(block)).numpy()[:size])
        return np.concatenate(outputs)

    def _block_values(self, features: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Loss and metrics per example (1 + metrics, block) and outputs (block, outputs)."""
        self.trace_counts["evaluate"] += 1
        problem = self._problem
        outputs = self._outputs(features)
        targets = encode_targets(
            labels, loss_name=problem.loss_name, num_classes=problem.num_classes
        )
        values = [m.per_example(labels, outputs) for m in problem.metrics.values()]
        return tf.stack([problem.loss(targets, outputs), *values]), outputs

    def _block_outputs(self, features: tf.Tensor) -> tf.Tensor:
        self.trace_counts["predict"] += 1
        return self._outputs(features)

    def _outputs(self, features: tf.Tensor) -> tf.Tensor:
        inputs = apply_preprocessing(self._problem.preprocessing, features)
        outputs, _ = through_layers(
            self._problem.model.layers,
            inputs,
            lambda layer, inputs, mask, _: call_layer(layer, inputs, mask, training=False),
        )
        return outputs

    def _blocks(
        self, features: Features, labels: NDArray[Any]
    ) -> Iterator[tuple[NDArray[np.generic], NDArray[Any], int]]:
        """Blocks of ``block_size`` rows, the last filled up with zeros, and their real sizes."""
        for start in range(0, len(features), self.block_size):
            rows = slice(start, start + self.block_size)
            block = features[rows], labels[rows]
            size = len(block[0])
            missing = self.block_size - size
            padded = [
                np.concatenate([a, np.zeros((missing, *a.shape[1:]), a.dtype)]) if missing else a
                for a in block
            ]
            yield padded[0], padded[1], size
