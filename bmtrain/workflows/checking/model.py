"""The model, layer by layer, each with the line that it is written in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from bmtrain.config.load import LoadedConfig
from bmtrain.config.source_text import dotted
from bmtrain.data.checks.finding import Finding
from bmtrain.exports.table import FORMATS
from bmtrain.figures import count
from bmtrain.models.shapes.planned import PlannedLayer
from bmtrain.workflows.checking.section import Section, Table
from bmtrain.workflows.preparation import Prepared


def model_section(prepared: Prepared, loaded: LoadedConfig) -> Section:
    """Type, output shape and parameters of each layer; what is rarely meant."""
    architecture = prepared.architecture
    layers = [
        fact
        for position, layer in enumerate(architecture.layers)
        for fact in _facts(position, layer, loaded)
    ]
    rows = [
        (_named(fact), _shown(fact["output_shape"]), f"{fact['parameters']:,}", fact["origin"])
        for fact in layers
    ]
    return Section(
        title="model",
        findings=tuple(_findings(prepared, len(loaded.warnings))),
        tables=(Table(("layer", "output", "parameters", "written in"), tuple(rows)),),
        facts={
            "input_shape": architecture.input_shape,
            "layers": layers,
            "parameters": architecture.num_parameters,
            "trainable_parameters": architecture.num_parameters - _num_fixed(architecture.layers),
            "not_exported": _objections(prepared),
        },
    )


def _findings(prepared: Prepared, num_of_config: int) -> Iterator[Finding]:
    architecture = prepared.architecture
    fixed = _num_fixed(architecture.layers)
    statistics = f", {fixed:,} of them moving statistics" if fixed else ""
    yield Finding(
        "ok",
        f"{count(len(architecture.layers), 'layer')}, "
        f"{count(architecture.num_parameters, 'parameter')}{statistics}; "
        f"{_shown(architecture.input_shape)} in, {_shown(architecture.output_shape)} out",
    )
    for name, objection in _objections(prepared).items():
        yield Finding("ok", f"no export to {name}: {objection}")
    for warning in prepared.warnings[num_of_config:]:
        yield Finding("warning", str(warning), place=warning)


def _objections(prepared: Prepared) -> dict[str, str]:
    """Formats that cannot hold the model, and why: better known before it is trained."""
    told = {
        name: exporter.objection(prepared.architecture, prepared.dataset.facts)
        for name, exporter in FORMATS.items()
    }
    return {name: objection for name, objection in told.items() if objection is not None}


def _facts(place: int | str, layer: PlannedLayer, loaded: LoadedConfig) -> Iterator[dict[str, Any]]:
    """Of a layer, and of those that it is made of, whose parameters are its own."""
    yield {
        "position": place,
        "type": layer.config.type,
        "activation": getattr(layer.config, "activation", None),
        "output_shape": layer.output_shape,
        "parameters": sum(map(math.prod, layer.variables.values())),
        "key": dotted(layer.key),
        "origin": loaded.origins.place(layer.key).where,
    }
    for name, inner in layer.inner.items():
        yield from _facts(f"{place}.{name}", inner, loaded)


def _num_fixed(layers: Sequence[PlannedLayer]) -> int:
    """Values that no gradient changes."""
    return sum(math.prod(layer.variables[name]) for layer in layers for name in layer.non_trainable)


def _named(fact: dict[str, Any]) -> str:
    activation = fact["activation"]
    is_told = activation not in (None, "linear")
    return f"{fact['position']} {fact['type']}" + (f" {activation}" if is_told else "")


def _shown(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
