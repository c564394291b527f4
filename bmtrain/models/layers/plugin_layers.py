"""Keras layers of plugins: built, and held against what was planned before they are trained."""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import keras
import numpy as np

from bmtrain.config.plugin_faults import in_words, plugin_fault
from bmtrain.config.plugin_signatures import fault_in, given_by
from bmtrain.errors import PluginError
from bmtrain.models.initial_weights import Place
from bmtrain.models.shapes.planned import PlannedLayer

_GENERATOR: Final = "seed_generator_state"

#: Those that were built here -> what was planned of them.
_planned: WeakKeyDictionary[keras.layers.Layer, PlannedLayer] = WeakKeyDictionary()


def planned_of(layer: keras.layers.Layer) -> PlannedLayer | None:
    """What was planned of a plugin's layer; None for all others."""
    return _planned.get(layer)


def plugin_layer(layer: PlannedLayer, seed: int, place: Place) -> keras.layers.Layer:
    """The plugin's layer, not yet called.

    Two others are built first and called: their outputs, variables and initial values are what
    is planned and repeatable, or the plugin is refused.

    Raises:
        PluginError: says what is other than planned.
    """
    what = f"layer {place} ({layer.config.type}): the plugin's builder"
    probes = [_called(layer, seed, place, what) for _ in range(2)]
    _require_variables(layer, probes[0], what)
    for name, first, second in zip(layer.variables, *map(_saved, probes), strict=True):
        if not np.array_equal(first.numpy(), second.numpy()):
            raise PluginError(
                f"{what} gives {name} other initial values each time",
                hint="give each variable plugins.initializer(NAME, seed, VARIABLE, place): a "
                "training begins with the same weights each time",
            )
    _require_behaviour(layer, probes[0], what)
    built = _built(layer, seed, place, what)
    _planned[built] = layer
    return built


def named(layer: keras.layers.Layer, planned: PlannedLayer) -> list[tuple[str, keras.Variable]]:
    """Its variables under the planned names."""
    return list(zip(planned.variables, _saved(layer), strict=True))


def _built(layer: PlannedLayer, seed: int, place: Place, what: str) -> keras.layers.Layer:
    assert layer.plugin is not None
    built = given_by(what, layer.plugin.builder, layer.config, seed, place)
    if not isinstance(built, keras.layers.Layer) or isinstance(built, keras.Model):
        raise fault_in(
            layer.plugin.builder,
            f"{what} gives {type(built).__name__}, expected a keras.layers.Layer that is no model",
            hint="several layers are one in a subclass of keras.layers.Layer that calls them",
        )
    built.name = f"{layer.config.type}_at_{place}".replace(".", "_")
    return built


def _called(layer: PlannedLayer, seed: int, place: Place, what: str) -> keras.layers.Layer:
    built = _built(layer, seed, place, what)
    try:
        outputs = built(keras.Input(layer.input_shape))
    except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
        if plugin_fault(error) is not None:  # its own lines are told
            raise
        message = f"{what} makes a layer that cannot be called: {in_words(error)}"
        raise fault_in(type(built).call, message) from error
    shape = getattr(outputs, "shape", None)
    if shape is None or tuple(shape[1:]) != layer.output_shape:
        got = type(outputs).__name__ if shape is None else list(shape[1:])
        raise PluginError(
            f"{what} makes a layer that gives {got} per example, and its planner says "
            f"{list(layer.output_shape)}"
        )
    return built


def _require_variables(layer: PlannedLayer, built: keras.layers.Layer, what: str) -> None:
    assert layer.plugin is not None
    generators = [v for v in built.variables if v.name.endswith(_GENERATOR)]
    if generators and layer.plugin.in_training is None:
        raise PluginError(
            f"{what} makes a layer with a random generator of its own: a run that is gone on with "
            "would end in other bits",
            hint="register it with in_training, and draw there from (seed, place, step): see "
            "plugins.step_seed",
        )
    saved = _saved(built)
    then = [(name, shape) for name, shape in layer.variables.items()]
    now = [(variable.name, tuple(variable.shape)) for variable in saved]
    if [(_last(name), shape) for name, shape in then] != now:
        raise PluginError(
            f"{what} makes a layer with the variables {_shown(now)}, and its planner says "
            f"{_shown(then)}",
            hint="planned in Keras's order (layer.variables), each name's last part as Keras's",
        )
    fixed = {
        name
        for name, variable in zip(layer.variables, saved, strict=True)
        if not variable.trainable
    }
    if fixed != layer.non_trainable:
        raise PluginError(
            f"{what} makes a layer whose non-trainable variables are {sorted(fixed)}, and its "
            f"planner says {sorted(layer.non_trainable)}"
        )


def _require_behaviour(layer: PlannedLayer, built: keras.layers.Layer, what: str) -> None:
    built(keras.ops.zeros((1, *layer.input_shape)))  # what is called with symbols adds no loss
    if len(built.losses) > sum(v.regularizer is not None for v in built.trainable_variables):
        raise PluginError(f"{what} makes a layer with add_loss, which no training here looks at")
    if layer.is_masked and built.supports_masking != layer.hands_mask_on:
        raise PluginError(
            f"{what} makes a layer with supports_masking {built.supports_masking}, and its planner "
            f"says {layer.hands_mask_on}",
            hint="uses_mask in plugins.planned says what becomes of a mask of padding",
        )


def _saved(layer: keras.layers.Layer) -> list[Any]:
    """Its variables but the state of generators, which nothing is drawn from in a training step."""
    return [v for v in layer.variables if not v.name.endswith(_GENERATOR)]


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _shown(variables: list[tuple[str, Any]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in variables) or "none"
