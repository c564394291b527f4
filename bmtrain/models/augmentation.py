"""Training examples varied inside the compiled step.

What becomes of an example is a pure function of (seed, epoch, its number among the training
examples): it is the same after a resume, in any batch and order, resident or streamed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import tensorflow as tf

from bmtrain.config.plugin_tables import AugmentationEntry, called
from bmtrain.config.sections import augmentation as sections
from bmtrain.data.encodings.text_encoding import PADDING, UNKNOWN
from bmtrain.models.initial_weights import derived_seed
from bmtrain.models.plugin_values import of_same_shape
from bmtrain.models.random_bits import uniforms


@dataclass(frozen=True, slots=True)
class Draws:
    """Random numbers of one augmentation for the examples of a batch."""

    seed: int
    epoch: tf.Tensor
    examples: tf.Tensor

    def uniform(self, per_example: int) -> tf.Tensor:
        """(batch, per_example), between 0 and 1."""
        return uniforms(self.seed, self.epoch, self.examples, per_example)

    def between(self, low: float, high: float) -> tf.Tensor:
        """(batch,), evenly drawn."""
        return low + (high - low) * self.uniform(1)[:, 0]

    def normal(self, shape: Sequence[int]) -> tf.Tensor:
        """(batch, *shape), of mean 0 and s.d. 1."""
        values = math.sqrt(2) * tf.math.erfinv(2 * self.uniform(math.prod(shape)) - 1)
        return tf.reshape(values, (-1, *shape))


class Augmentor:
    """The augmentations of a config, in its order; shift, rotate and zoom are one resampling."""

    def __init__(
        self,
        augmentation: Sequence[sections.Augmentation],
        *,
        seed: int,
        added: Mapping[str, AugmentationEntry] | None = None,
    ) -> None:
        self._features = FEATURES | _added(added, "features")
        self._inputs = INPUTS | _added(added, "inputs")
        self._items = [
            (item, derived_seed(seed, "augmentation", position))
            for position, item in enumerate(augmentation)
        ]

    def features(self, features: tf.Tensor, examples: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        """What is done before the inputs are scaled: (batch, *input_shape), float32 if resampled."""
        motions = [entry for entry in self._items if entry[0].type in MOTIONS]
        for item, seed in self._items:
            draws = Draws(seed, epoch, examples)
            if item.type in self._features:
                features = self._features[item.type](item, features, draws)
            elif motions and item is motions[0][0]:
                features = _moved(features, motions, examples, epoch)
        return features

    def inputs(self, inputs: tf.Tensor, examples: tf.Tensor, epoch: tf.Tensor) -> tf.Tensor:
        """What is done to the scaled inputs (batch, *input_shape) float32."""
        for item, seed in self._items:
            if item.type in self._inputs:
                inputs = self._inputs[item.type](item, inputs, Draws(seed, epoch, examples))
        return inputs


def _added(
    added: Mapping[str, AugmentationEntry] | None, stage: Literal["features", "inputs"]
) -> dict[str, Callable[[Any, tf.Tensor, Draws], tf.Tensor]]:
    functions = {
        name: (entry, entry.features if stage == "features" else entry.inputs)
        for name, entry in (added or {}).items()
    }
    return {
        name: of_same_shape(function, called(entry))
        for name, (entry, function) in functions.items()
        if function is not None
    }


#: A motion as (row, column) = matrix · (row, column) + offset: from a place in the result to the
#: place in the picture that it is taken from, both from the centre, in pixels.
_Motion = tuple[tf.Tensor, tf.Tensor]


def _shift(item: sections.Shift, draws: Draws, size: tuple[int, int]) -> _Motion:
    uniform = 2 * draws.uniform(2) - 1
    offset = uniform * tf.constant([item.height * size[0], item.width * size[1]], tf.float32)
    return _scaled_identity(tf.ones_like(offset[:, 0])), offset


def _rotate(item: sections.Rotate, draws: Draws, size: tuple[int, int]) -> _Motion:
    del size
    angle = draws.between(-item.degrees, item.degrees) * (math.pi / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    matrix = tf.stack([tf.stack([cos, -sin], axis=1), tf.stack([sin, cos], axis=1)], axis=1)
    return matrix, tf.zeros_like(matrix[:, 0])


def _zoom(item: sections.Zoom, draws: Draws, size: tuple[int, int]) -> _Motion:
    del size
    matrix = _scaled_identity(1.0 / draws.between(1 - item.factor, 1 + item.factor))
    return matrix, tf.zeros_like(matrix[:, 0])


MOTIONS: dict[str, Callable[[Any, Draws, tuple[int, int]], _Motion]] = {
    "shift": _shift,
    "rotate": _rotate,
    "zoom": _zoom,
}


def _flip(item: sections.Flip, features: tf.Tensor, draws: Draws) -> tf.Tensor:
    axes = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (1, 2)}[item.mode]
    uniform = draws.uniform(len(axes))
    for at, axis in enumerate(axes):
        chosen = tf.reshape(uniform[:, at] < 0.5, (-1, *(1,) * (len(features.shape) - 1)))
        features = tf.where(chosen, tf.reverse(features, [axis]), features)
    return features


def _cutout(item: sections.Cutout, features: tf.Tensor, draws: Draws) -> tf.Tensor:
    height, width = features.shape[1:3]
    half = item.size * min(height, width) / 2
    uniform = draws.uniform(2)
    far = [
        tf.abs(tf.range(size, dtype=tf.float32)[None, :] + 0.5 - uniform[:, at : at + 1] * size)
        > half
        for at, size in enumerate((height, width))
    ]
    kept = tf.logical_or(far[0][:, :, None], far[1][:, None, :])
    kept = tf.reshape(kept, (-1, height, width, *(1,) * (len(features.shape) - 3)))
    return tf.where(kept, features, tf.zeros_like(features))


def _mask_tokens(item: sections.MaskTokens, features: tf.Tensor, draws: Draws) -> tf.Tensor:
    is_masked = draws.uniform(features.shape[1]) < item.rate
    is_token = features != tf.constant(PADDING, features.dtype)
    return tf.where(is_masked & is_token, tf.constant(UNKNOWN, features.dtype), features)


#: type -> (item, features before scaling, draws) -> features of the same shape
FEATURES: dict[str, Callable[[Any, tf.Tensor, Draws], tf.Tensor]] = {
    "flip": _flip,
    "cutout": _cutout,
    "mask_tokens": _mask_tokens,
}


def _noise(item: sections.Noise, inputs: tf.Tensor, draws: Draws) -> tf.Tensor:
    return inputs + item.stddev * draws.normal(inputs.shape[1:])


def _dropout(item: sections.InputDropout, inputs: tf.Tensor, draws: Draws) -> tf.Tensor:
    shape = inputs.shape[1:]
    is_kept = tf.reshape(draws.uniform(math.prod(shape)) >= item.rate, (-1, *shape))
    return tf.where(is_kept, inputs, tf.zeros_like(inputs))


#: type -> (item, scaled inputs, draws) -> inputs of the same shape
INPUTS: dict[str, Callable[[Any, tf.Tensor, Draws], tf.Tensor]] = {
    "noise": _noise,
    "dropout": _dropout,
}


def _moved(
    features: tf.Tensor,
    motions: Sequence[tuple[Any, int]],
    examples: tf.Tensor,
    epoch: tf.Tensor,
) -> tf.Tensor:
    """All motions at once: the first of them is the first that the picture undergoes."""
    height, width = features.shape[1:3]
    matrix = _scaled_identity(tf.ones(tf.shape(features)[0], tf.float32))
    offset = tf.zeros_like(matrix[:, 0])
    for item, seed in motions:
        more, by = MOTIONS[item.type](item, Draws(seed, epoch, examples), (height, width))
        # From the result backwards: the motion before takes what this one asks for.
        offset = offset + tf.linalg.matvec(matrix, by)
        matrix = matrix @ more
    return sampled(features, matrix, offset)


def sampled(pictures: tf.Tensor, matrix: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Bilinear samples of each picture at matrix · place + offset; 0 outside.

    Args:
        pictures: (batch, height, width[, channels]) of any numeric dtype.
        matrix: (batch, 2, 2) float32, from places in the result; (row, column) from the centre.
        offset: (batch, 2) float32, in pixels.

    Returns:
        float32, of the shape of ``pictures``.
    """
    height, width = pictures.shape[1:3]
    channels = math.prod(pictures.shape[3:])
    flat = tf.reshape(tf.cast(pictures, tf.float32), (-1, height * width, channels))
    centre = tf.constant([(height - 1) / 2, (width - 1) / 2], tf.float32)
    rows, columns = tf.meshgrid(tf.range(height), tf.range(width), indexing="ij")
    grid = tf.cast(tf.stack([rows, columns], axis=-1), tf.float32) - centre
    places = tf.einsum("bij,hwj->bhwi", matrix, grid) + offset[:, None, None, :] + centre
    low = tf.floor(places)
    share = places - low
    total = tf.zeros_like(flat)
    for step in ((0, 0), (0, 1), (1, 0), (1, 1)):
        at = tf.cast(low, tf.int32) + tf.constant(step)
        row, column = at[..., 0], at[..., 1]
        is_inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        weights = [share[..., i] if step[i] else 1 - share[..., i] for i in (0, 1)]
        weight = tf.where(is_inside, weights[0] * weights[1], 0.0)
        index = tf.where(is_inside, row * width + column, 0)
        values = tf.gather(flat, tf.reshape(index, (-1, height * width)), batch_dims=1)
        total += tf.reshape(weight, (-1, height * width, 1)) * values
    return tf.reshape(total, tf.shape(pictures))


def _scaled_identity(scale: tf.Tensor) -> tf.Tensor:
    return scale[:, None, None] * tf.eye(2)[None]
