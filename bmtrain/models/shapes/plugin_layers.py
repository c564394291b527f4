"""What follows from a shape for a plugin's layers: its planner's answer, checked. No TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bmtrain.config.plugin_signatures import fault_in, given_by
from bmtrain.config.plugin_tables import LayerEntry, Plugins
from bmtrain.errors import DataError, PluginError
from bmtrain.models.shapes.planned import Given, PlannedLayer, Planner, Shape
from bmtrain.models.shapes.table import PLANNERS

#: Of a variable: it is part of a tensor's name.
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}(\.[a-z0-9_]{1,64}){0,4}")
_MAX_EXTENT: Final = 2**31 - 1


def planners_with(plugins: Plugins) -> Mapping[str, Planner]:
    """The built-in planners, and those of the plugins."""
    return PLANNERS | {name: partial(_planned, entry) for name, entry in plugins.layers.items()}


def _planned(entry: LayerEntry, config: Any, given: Given) -> PlannedLayer:
    what = f"{given.name} ({entry.name}): the plugin's planner"
    try:
        layer = given_by(what, entry.planner, config, given)
    except DataError as error:
        if error.key is None:
            error.message = f"{given.name} ({entry.name}): {error.message}"
            error.key = given.key
        raise
    if not isinstance(layer, PlannedLayer):
        message = f"{what} gives {layer!r:.100}, expected what plugins.planned returns"
        raise fault_in(entry.planner, message)
    if not isinstance(layer.config, entry.section):
        raise PluginError(f"{what} changed the config to {layer.config!r:.100}")
    for name in layer.variables:
        if not (_NAME.fullmatch(str(name))):
            raise PluginError(
                f"{what} names a variable {name!r:.100}, expected small letters, digits and '_', "
                "in parts with dots between: dense.kernel"
            )
    if not layer.non_trainable <= layer.variables.keys():
        unknown = ", ".join(sorted(layer.non_trainable - layer.variables.keys()))
        raise PluginError(f"{what} has non_trainable variables that it does not plan: {unknown}")
    return replace(
        layer,
        output_shape=_shape(layer.output_shape, f"{what} gives the output shape", least=1),
        variables={
            name: _shape(shape, f"{what} gives the shape of {name} as", least=0)
            for name, shape in layer.variables.items()
        },
        plugin=entry,
    )


def _shape(shape: Any, what: str, *, least: int) -> Shape:
    is_one = isinstance(shape, tuple | list) and all(
        type(extent) is int and 1 <= extent <= _MAX_EXTENT for extent in shape
    )
    if not is_one or len(shape) < least:
        raise PluginError(
            f"{what} {shape!r:.100}, expected whole numbers from 1, without the batch"
        )
    return tuple(shape)
