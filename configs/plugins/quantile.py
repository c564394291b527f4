"""A quantile instead of a mean: the loss, the figure that shows whether it is met, and a layer.

    bmtrain train configs/plugins/quantile.yaml --plugin configs/plugins/quantile.py

A plugin registers what it adds at its top. Keras is imported inside the functions: the config is
checked without it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from bmtrain import plugins

if TYPE_CHECKING:
    import keras


class Quantile(plugins.LossSection):
    """max(q·e, (q − 1)·e), e = y − h(x), the mean over outputs (Koenker & Bassett 1978).

    It is least where a share q of the targets is below the output.
    """

    name: Literal["quantile"]
    quantile: float = plugins.Field(default=0.5, gt=0, lt=1, description="The share q.")


def quantile_loss(config: Quantile) -> Any:
    """(targets, outputs) -> (batch,)."""
    from keras import ops

    def loss(targets: Any, outputs: Any) -> Any:
        error = targets - outputs
        return ops.mean(
            ops.maximum(config.quantile * error, (config.quantile - 1) * error), axis=-1
        )

    return loss


def coverage(targets: Any, outputs: Any) -> Any:
    """1 where the target is not above the output; its mean comes near q."""
    from keras import ops

    return ops.mean(ops.cast(targets <= outputs, "float32"), axis=-1)


class Periodic(plugins.Section):
    """sin(2π·w·x) and cos(2π·w·x) of each feature x, w learnt (Gorishniy et al. 2022)."""

    type: Literal["periodic"]
    frequencies: int = plugins.Field(
        default=4, ge=1, le=1000, description="Of each feature: twice as many values come of it."
    )


def periodic_shapes(config: Periodic, given: plugins.Given) -> plugins.PlannedLayer:
    """(features,) becomes (features · 2 · frequencies,)."""
    if len(given.shape) != 1:
        raise plugins.DataError(
            f"it takes one vector of features, and gets the shape {list(given.shape)}"
        )
    features = given.shape[0]
    return plugins.planned(
        config,
        given,
        (features * 2 * config.frequencies,),
        {"frequencies": (features, config.frequencies)},
    )


def periodic(config: Periodic, seed: int, place: int | str) -> keras.layers.Layer:
    """The layer, its first frequencies drawn from the seed."""
    initial = plugins.initializer("glorot_normal", seed, "frequencies", place)
    return _layer_class()(config.frequencies, initial)


@cache
def _layer_class() -> Any:
    import math

    import keras

    @keras.saving.register_keras_serializable("quantile")
    class PeriodicFeatures(keras.layers.Layer):
        """Keras's part: variables in ``build``, the computation in ``call``."""

        def __init__(self, frequencies: int, initial: Any = "zeros", **options: Any) -> None:
            super().__init__(**options)
            self.count = frequencies
            self.initial = initial

        def build(self, shape: tuple[int | None, ...]) -> None:
            self.frequencies = self.add_weight(
                (shape[-1], self.count), initializer=self.initial, name="frequencies"
            )

        def call(self, inputs: Any) -> Any:
            angles = 2 * math.pi * inputs[:, :, None] * self.frequencies
            waves = keras.ops.concatenate([keras.ops.sin(angles), keras.ops.cos(angles)], axis=-1)
            return keras.ops.reshape(waves, (-1, inputs.shape[1] * 2 * self.count))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "frequencies": self.count}

    return PeriodicFeatures


plugins.register_loss(Quantile, builder=quantile_loss)
plugins.register_metric(
    "coverage", of="numbers", per_example=coverage, more_is_better=True, least=0, most=1
)
plugins.register_layer(Periodic, planner=periodic_shapes, builder=periodic)
