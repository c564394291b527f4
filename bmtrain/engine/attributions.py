"""What an output is made of: integrated gradients, and what it loses where inputs are taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bmtrain.engine.placement import SingleDevice
from bmtrain.models.completeness import Integral
from bmtrain.models.initial_weights import Place
from bmtrain.models.masking import call_layer, through_layers
from bmtrain.models.preprocessing import apply_preprocessing
from bmtrain.models.problem import Problem

Score = Literal["logit", "probability", "output"]
Values = NDArray[np.float32]

#: Rows of one compiled call: a path, or an example with one part after the other taken away.
_BLOCK: Final = 32
_FIRST_STEPS: Final = 32
MAX_STEPS: Final = 1024


class Attributor:
    """Explains the problem's present weights, one example at a time.

    F, the score that integrated gradients divide among the inputs, has a column per class or
    target. Of classes it is the logit where the model has one, in its outputs or before a last
    softmax or sigmoid: a probability near 1 has next to no gradient. Of one output for two
    classes it is z for the second and −z for the first. Of numbers it is the output.

    Inputs are what the first layer gets: scaled values (*input_shape), or the vectors
    (length, output_dim) of a text's tokens; the path between two texts goes through these, and
    the text's own mask of padding holds all along it.
    """

    def __init__(
        self,
        problem: Problem,
        placement: SingleDevice,
        *,
        is_crossentropy: bool,
        takes_logits: bool,
    ) -> None:
        self._problem = problem
        self._placement = placement
        first, *others = problem.model.layers
        self._embedding = first if isinstance(first, keras.layers.Embedding) else None
        self._layers = problem.model.layers if self._embedding is None else others
        is_classes = problem.num_classes is not None and is_crossentropy
        self._strips = is_classes and not takes_logits and _is_squashed(self._layers[-1])
        self._is_binary = is_classes and problem.model.output_shape[-1] == 1
        self.score: Score = "output"
        if is_classes:
            self.score = "logit" if takes_logits or self._strips else "probability"
        self._block_scores = placement.compiled(self._scores_and_outputs, jit_compile=False)
        self._block_gradients = placement.compiled(self._gradients, jit_compile=False)

    def inputs(self, features: NDArray[np.generic]) -> tuple[Values, NDArray[np.bool_] | None]:
        """What the first layer gets of features (examples, ...), and the mask of texts."""
        with self._placement.scope():
            scaled = apply_preprocessing(self._problem.preprocessing, tf.constant(features))
            if self._embedding is None:
                return scaled.numpy(), None
            mask = self._embedding.compute_mask(scaled)
            vectors = tf.cast(self._embedding(scaled), tf.float32)  # in any precision
        return vectors.numpy(), None if mask is None else mask.numpy()

    def baseline(self, features: NDArray[np.generic]) -> Values:
        """X' of one example: black, nothing but padding, or 0 after scaling.

        uint8 features are 0 before they are scaled, as a black picture is; tokens are padding;
        others are 0 after, which under ``standardize`` is the training split's mean.
        """
        if self._embedding is not None or features.dtype == np.uint8:
            return self.inputs(np.zeros_like(features[None]))[0][0]
        return np.zeros(features.shape, np.float32)

    def scores(
        self, inputs: Values, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.float64], Values]:
        """F (rows, classes or targets) and the model's outputs of inputs (rows, ...)."""
        both = [
            (scores.numpy()[:size], outputs.numpy()[:size])
            for block, size in _blocks(inputs)
            for scores, outputs in [self._call(self._block_scores, block, mask)]
        ]
        scores, outputs = (np.concatenate(parts) for parts in zip(*both, strict=True))
        return scores.astype(np.float64), outputs

    def integrated_gradients(
        self, inputs: Values, baseline: Values, mask: NDArray[np.bool_] | None, column: int
    ) -> Integral:
        """(x − x')·∫₀¹ ∂F/∂x(x' + a·(x − x')) da of one example, by the midpoint rule.

        The steps are doubled until the sum is F(x) − F(x') within 1 %, or there are 1,024.
        Sundararajan, Taly and Yan (2017), equation 1; completeness: proposition 1.

        Args:
            inputs: x, of the shape that ``inputs`` gives for one example; baseline: x'.
            mask: (length,) of a text.
            column: the class or target whose F it is.
        """
        ends, _ = self.scores(np.stack([inputs, baseline]), mask)
        column = min(column, ends.shape[1] - 1)  # a single score may be of two classes
        score, baseline_score = ends[:, column].tolist()
        change = inputs.astype(np.float64) - baseline
        num_steps = _FIRST_STEPS
        while True:
            gradient = self._mean_gradient(baseline, change, mask, column, num_steps)
            integral = Integral(change * gradient, score, baseline_score, num_steps)
            if integral.is_complete or num_steps >= MAX_STEPS:
                return integral
            num_steps *= 2

    def occluded_outputs(
        self,
        inputs: Values,
        baseline: Values,
        mask: NDArray[np.bool_] | None,
        part_of: NDArray[np.int64],
    ) -> Values:
        """Outputs (1 + parts, ...): of the example, then with each part at the baseline.

        Zeiler and Fergus (2014), section 4.2.

        Args:
            part_of: the number of the part that each input is of; of the inputs' first axes.
        """
        num_parts = int(part_of.max()) + 1
        wide = part_of.reshape(*part_of.shape, *[1] * (inputs.ndim - part_of.ndim))
        outputs = [self.scores(inputs[None], mask)[1]]
        for start in range(0, num_parts, _BLOCK):
            parts = np.arange(start, min(start + _BLOCK, num_parts))
            taken = wide[None] == parts.reshape(-1, *[1] * wide.ndim)
            outputs.append(self.scores(np.where(taken, baseline[None], inputs[None]), mask)[1])
        return np.concatenate(outputs)

    def _mean_gradient(
        self,
        baseline: Values,
        change: NDArray[np.float64],
        mask: NDArray[np.bool_] | None,
        column: int,
        num_steps: int,
    ) -> NDArray[np.float64]:
        total = np.zeros(change.shape)
        for start in range(0, num_steps, _BLOCK):
            shares = (np.arange(start, start + _BLOCK) + 0.5) / num_steps
            path = baseline + shares.reshape(-1, *[1] * change.ndim) * change
            block = path.astype(np.float32)
            gradients = self._call(self._block_gradients, block, mask, tf.constant(column))
            total += gradients.numpy().astype(np.float64).sum(axis=0)
        return total / num_steps

    def _call(
        self, compiled: Any, block: Values, mask: NDArray[np.bool_] | None, *others: Any
    ) -> Any:
        steps = np.zeros(0, np.bool_) if mask is None else mask
        with self._placement.scope():
            rows = tf.constant(np.broadcast_to(steps, (len(block), *steps.shape)))
            return compiled(tf.constant(block), rows, *others)

    def _scores_and_outputs(self, inputs: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, ...]:
        last = len(self._layers) - 1

        def call(layer: Any, values: tf.Tensor, steps: tf.Tensor | None, place: Place) -> tf.Tensor:
            if self._strips and place == last:
                return _before_activation(layer, values)
            return call_layer(layer, values, steps, training=False)

        present = mask if mask.shape[1] else None
        scores, _ = through_layers(self._layers, inputs, call, mask=present)
        outputs = self._layers[-1].activation(scores) if self._strips else scores
        if self._is_binary:
            other = 1 - scores if self.score == "probability" else -scores
            scores = tf.concat([other, scores], axis=1)
        return scores, outputs

    def _gradients(self, inputs: tf.Tensor, mask: tf.Tensor, column: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            scores, _ = self._scores_and_outputs(inputs, mask)
            chosen = tf.gather(scores, column, axis=1)
        return tape.gradient(chosen, inputs, unconnected_gradients="zero")


def _is_squashed(layer: keras.layers.Layer) -> bool:
    """Whether it ends in a softmax or a sigmoid that can be left away."""
    if not isinstance(layer, keras.layers.Dense | keras.layers.Activation):
        return False
    return layer.activation in (keras.activations.softmax, keras.activations.sigmoid)


def _before_activation(layer: keras.layers.Layer, values: tf.Tensor) -> tf.Tensor:
    if isinstance(layer, keras.layers.Activation):
        return values
    # The last layer computes in float32, the one before it may not.
    product = tf.linalg.matmul(tf.cast(values, layer.compute_dtype), layer.kernel.value)
    return product + layer.bias.value if layer.use_bias else product


def _blocks(inputs: Values) -> Iterator[tuple[Values, int]]:
    """Blocks of 32 rows, the last filled up with its own last row, and their real sizes."""
    for start in range(0, len(inputs), _BLOCK):
        block = inputs[start : start + _BLOCK]
        size = len(block)
        yield np.concatenate([block, np.repeat(block[-1:], _BLOCK - size, axis=0)]), size
