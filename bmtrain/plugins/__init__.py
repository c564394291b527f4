"""What a plugin calls: a Python file that ``--plugin FILE`` names, and nothing else loads.

It adds layers, losses, metrics, data formats and augmentations, each with the same parts that the
built-in ones have. Keras and TensorFlow are imported inside its functions, never at its top: the
config is checked without them, and they are started with the config's threads and device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from bmtrain.config.sections.base import Section
from bmtrain.config.sections.loss import LossSection
from bmtrain.errors import DataError
from bmtrain.models.shapes.planned import Given, PlannedLayer, Shape, planned
from bmtrain.plugins.registration import (
    register_augmentation,
    register_format,
    register_layer,
    register_loss,
    register_metric,
)

if TYPE_CHECKING:
    from bmtrain.models.augmentation import Draws
    from bmtrain.models.initial_weights import Place


def initializer(name: str, seed: int, variable: str, place: Place) -> Any:
    """A Keras initializer (``glorot_uniform``, ``he_normal``, ``zeros`` …) for one variable.

    What it draws is a pure function of the experiment's seed, the variable's name and the
    layer's place: every training begins with the same weights.
    """
    from bmtrain.models.initial_weights import initializer as seeded

    return seeded(name, seed, variable, place)


def derived_seed(seed: int, purpose: str, place: Place) -> int:
    """A seed of 31 bits for whatever else draws initial values: a pure function of its arguments."""
    from bmtrain.models.initial_weights import derived_seed as derived

    return derived(seed, purpose, place)


def step_seed(seed: int, purpose: str, place: Place, step: Any) -> Any:
    """Two int32, a pure function of the arguments, for ``tf.random.stateless_*``.

    In ``in_training``: what is drawn in a step is the same after a resume.
    """
    import tensorflow as tf

    return tf.stack([tf.constant(derived_seed(seed, purpose, place)), tf.cast(step, tf.int32)])


__all__ = [
    "DataError",
    "Draws",
    "Field",
    "Given",
    "LossSection",
    "Place",
    "PlannedLayer",
    "Section",
    "Shape",
    "derived_seed",
    "field_validator",
    "initializer",
    "model_validator",
    "planned",
    "register_augmentation",
    "register_format",
    "register_layer",
    "register_loss",
    "register_metric",
    "step_seed",
]
