"""A plugin whose parts compute what built-in ones do: these are what its bits are compared with."""

from __future__ import annotations

from functools import cache
from typing import Literal

from bmtrain import plugins


class TwinDense(plugins.Section):
    """x · kernel + bias."""

    type: Literal["twin_dense"]
    units: int = plugins.Field(ge=1, le=1000, description="How many values it gives.")


def plan_dense(config, given):
    if len(given.shape) != 1:
        raise plugins.DataError(f"it takes one vector, got {list(given.shape)}")
    variables = {"kernel": (given.shape[0], config.units), "bias": (config.units,)}
    return plugins.planned(config, given, (config.units,), variables)


def build_dense(config, seed, place):
    kernel = plugins.initializer("glorot_uniform", seed, "kernel", place)
    return keras_parts()["dense"](config.units, kernel)


class TwinDropout(plugins.Section):
    """Keras's Dropout, whose generator no training draws from."""

    type: Literal["twin_dropout"]
    rate: float = plugins.Field(default=0.5, gt=0, lt=1)


def build_dropout(config, seed, place):
    import keras

    return keras.layers.Dropout(config.rate, seed=plugins.derived_seed(seed, "dropout", place))


def drop(layer, inputs, seed, place, step):
    import tensorflow as tf

    uniform = tf.random.stateless_uniform(
        tf.shape(inputs), plugins.step_seed(seed, "dropout", place, step)
    )
    return tf.where(uniform >= layer.rate, inputs / (1 - layer.rate), tf.zeros_like(inputs))


class TwinLoss(plugins.LossSection):
    """The mean square."""

    name: Literal["twin_squared_error"]


def build_loss(config):
    import keras

    return lambda targets, outputs: keras.ops.mean(keras.ops.square(outputs - targets), axis=-1)


def absolute_error(targets, outputs):
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(outputs - targets), axis=-1)


def largest_error(targets, outputs):
    import numpy as np

    return np.abs(targets - outputs).max()


class TwinNoise(plugins.Section):
    """Normal noise."""

    type: Literal["twin_noise"]
    stddev: float = plugins.Field(gt=0)


def read_lines(path):
    """Each line ``target feature feature …``."""
    import numpy as np

    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            rows.append([float(cell) for cell in line.split()])
        except ValueError:
            raise plugins.DataError(f"line {number}: expected numbers, got {line!r}") from None
    table = np.array(rows, np.float32)
    return {"x_train": table[:, 1:], "y_train": table[:, :1]}


@cache
def keras_parts():
    import keras

    @keras.saving.register_keras_serializable("twins")
    class Dense(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units, kernel="zeros", **options):
            super().__init__(**options)
            self.units, self.initial = units, kernel

        def build(self, shape):
            self.kernel = self.add_weight(
                (shape[-1], self.units), initializer=self.initial, name="kernel"
            )
            self.bias = self.add_weight((self.units,), initializer="zeros", name="bias")

        def call(self, inputs):
            return keras.ops.add(keras.ops.matmul(inputs, self.kernel), self.bias)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {"dense": Dense}


plugins.register_layer(TwinDense, planner=plan_dense, builder=build_dense)
plugins.register_layer(
    TwinDropout, planner=plugins.planned, builder=build_dropout, in_training=drop
)
plugins.register_loss(TwinLoss, builder=build_loss)
plugins.register_metric(
    "twin_absolute_error", of="numbers", per_example=absolute_error, more_is_better=False
)
plugins.register_metric(
    "twin_max_error", of="numbers", of_split=largest_error, more_is_better=False
)
plugins.register_augmentation(
    TwinNoise,
    of="numbers",
    inputs=lambda config, x, draws: x + config.stddev * draws.normal(x.shape[1:]),
)
plugins.register_format("lines", reader=read_lines, suffixes=(".lines",))
