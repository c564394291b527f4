"""The closed table of learning-rate schedules: the rate at a step, inside the compiled step.

Each is a pure function of the step, computed in float64 (a step of a long training is no
float32) and given to the optimizer as float32. ``reduce_on_plateau`` is the step's function
times what the loop has told it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from bmtrain.config.durations import Timeline
from bmtrain.config.sections import learning_rate as sections

#: step of the whole training, float64 from the warm-up's end on -> rate, float64
Rate = Callable[[tf.Tensor], tf.Tensor]

#: A quotient this near to a whole number is one: log 243 / log 3 is 4.999999999999999.
_NEARLY: float = 1e-9


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule as Keras's optimizers take one: called with the steps done, gives a float32."""

    def __init__(self, config: sections.AnySchedule, timeline: Timeline) -> None:
        super().__init__()
        self._warmup = timeline.steps(config.warmup)
        self._rises_itself = isinstance(config, sections.OneCycle)
        self._rate = SCHEDULES[config.name](config, timeline)
        self._plateau: sections.ReduceOnPlateau | None = None
        if isinstance(config, sections.ReduceOnPlateau):
            self._plateau = config
            self._initial = keras.Variable(config.initial, trainable=False, dtype="float32")

    def reduced(self, reductions: int) -> None:
        """The rate's plateau was reached so often; nothing for all other schedules."""
        if self._plateau is not None:
            self._initial.assign(plateau_rate(self._plateau, reductions))

    def __call__(self, step: Any) -> tf.Tensor:
        """The rate of the step after ``step`` (whole training, from 0) others."""
        position = tf.cast(keras.ops.convert_to_tensor(step), tf.float64)
        if self._rises_itself or not self._warmup:
            rate = self._rate(position)
        else:
            warmup = tf.constant(self._warmup, tf.float64)
            rate = self._rate(tf.maximum(position, warmup)) * tf.minimum(position / warmup, 1.0)
        rate = tf.cast(rate, tf.float32)
        return rate if self._plateau is None else rate * self._initial.value

    def get_config(self) -> dict[str, Any]:
        """It is built from our own config, never from Keras's."""
        raise NotImplementedError


def plateau_rate(config: sections.ReduceOnPlateau, reductions: int) -> float:
    """Initial · factor^reductions, no less than ``min_lr``."""
    return max(config.initial * config.factor**reductions, min(config.min_lr, config.initial))


def _constant(config: sections.Constant, timeline: Timeline) -> Rate:
    del timeline
    return lambda step: tf.fill(tf.shape(step), tf.constant(config.initial, tf.float64))


def _plateau(config: sections.ReduceOnPlateau, timeline: Timeline) -> Rate:
    del config, timeline
    return tf.ones_like


def _exponential(
    config: sections.ExponentialDecay | sections.StepDecay, timeline: Timeline
) -> Rate:
    begin, every = timeline.steps(config.warmup), timeline.steps(config.every)

    def rate(step: tf.Tensor) -> tf.Tensor:
        periods = (step - begin) / every
        if isinstance(config, sections.StepDecay):
            periods = tf.floor(periods)
        return config.initial * tf.pow(tf.constant(config.decay_rate, tf.float64), periods)

    return rate


def _piecewise(config: sections.Piecewise, timeline: Timeline) -> Rate:
    starts = tf.constant([timeline.steps(text) for text in config.boundaries], tf.float64)
    values = tf.constant(config.values, tf.float64)

    def rate(step: tf.Tensor) -> tf.Tensor:
        return tf.gather(values, tf.reduce_sum(tf.cast(step >= starts, tf.int32)))

    return rate


def _progress(step: tf.Tensor, begin: int, end: int) -> tf.Tensor:
    """0 at ``begin``, 1 from ``end`` on."""
    return tf.clip_by_value((step - begin) / (end - begin), 0.0, 1.0)


def _half_cosine(progress: tf.Tensor) -> tf.Tensor:
    """½(1 + cos πp): from 1 to 0."""
    return 0.5 * (1.0 + tf.cos(math.pi * progress))


def _cosine(config: sections.Cosine, timeline: Timeline) -> Rate:
    begin, end = timeline.steps(config.warmup), timeline.steps(config.duration)

    def rate(step: tf.Tensor) -> tf.Tensor:
        left = _half_cosine(_progress(step, begin, end))
        return config.initial * ((1.0 - config.alpha) * left + config.alpha)

    return rate


def _cosine_restarts(config: sections.CosineRestarts, timeline: Timeline) -> Rate:
    begin, first = timeline.steps(config.warmup), timeline.steps(config.first)

    def rate(step: tf.Tensor) -> tf.Tensor:
        done = (step - begin) / first
        if config.t_mul == 1.0:
            number = tf.floor(done)
            progress = done - number
        else:
            # The first n take (t_mul^n − 1)/(t_mul − 1) times as long as the first.
            grown = tf.math.log(1.0 + done * (config.t_mul - 1.0)) / math.log(config.t_mul)
            number = tf.floor(grown + _NEARLY)
            length = tf.pow(tf.constant(config.t_mul, tf.float64), number)
            progress = (done - (length - 1.0) / (config.t_mul - 1.0)) / length
        height = tf.pow(tf.constant(config.m_mul, tf.float64), number)
        left = height * _half_cosine(tf.clip_by_value(progress, 0.0, 1.0))
        return config.initial * ((1.0 - config.alpha) * left + config.alpha)

    return rate


def _polynomial(config: sections.Polynomial, timeline: Timeline) -> Rate:
    begin, end = timeline.steps(config.warmup), timeline.steps(config.duration)

    def rate(step: tf.Tensor) -> tf.Tensor:
        left = tf.pow(1.0 - _progress(step, begin, end), config.power)
        return (config.initial - config.end) * left + config.end

    return rate


def _one_cycle(config: sections.OneCycle, timeline: Timeline) -> Rate:
    peak, end = timeline.steps(config.warmup), timeline.steps(config.duration)
    first = config.maximum / config.div_factor
    last = first / config.final_div_factor

    def rate(step: tf.Tensor) -> tf.Tensor:
        up = _half_cosine(1.0 - _progress(step, 0, peak)) if peak else tf.ones_like(step)
        rising = first + (config.maximum - first) * up
        falling = last + (config.maximum - last) * _half_cosine(_progress(step, peak, end))
        return tf.where(step < peak, rising, falling)

    return rate


#: name -> (its config, the training's timeline) -> the rate after the warm-up
SCHEDULES: dict[str, Callable[[Any, Timeline], Rate]] = {
    "constant": _constant,
    "step": _exponential,
    "exponential": _exponential,
    "piecewise": _piecewise,
    "cosine": _cosine,
    "cosine_restarts": _cosine_restarts,
    "polynomial": _polynomial,
    "one_cycle": _one_cycle,
    "reduce_on_plateau": _plateau,
}
