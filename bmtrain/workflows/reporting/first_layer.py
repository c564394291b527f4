"""What the first layer looks for: its weights as pictures."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.models.shapes.planned import PlannedLayer, Shape
from bmtrain.reports.content import Block, Picture, Pictures, Section, Table, Words
from bmtrain.reports.pictures import weights_uri
from bmtrain.workflows.reporting.reading import ReportedRun

_MAX_PICTURES: Final = 32
_MAX_FEATURES: Final = 20
_LEGEND: Final = (
    "Blue: a larger input raises the unit; red: it lowers it; white: it does not matter."
)
_KERNEL: Final = "kernel"


def weights_section(run: ReportedRun) -> Section:
    """Of pictures a picture per unit or filter; of a vector of features their weights' sizes."""
    return Section("weights", "First-layer weights", _blocks(run))


def _blocks(run: ReportedRun) -> tuple[Block, ...]:
    if run.restored is None:
        return (Words(f"There are no weights to show: {run.without_model}.", "missing"),)
    layers = run.restored.architecture.layers
    found = [(number, layer) for number, layer in enumerate(layers) if layer.variables]
    if not found:
        return (Words("The model has no weights.", "missing"),)
    number, layer = found[0]
    kernel = run.restored.checkpoint.model.get(f"layers.{number}.{_KERNEL}")
    image = _image_shape(layers[:number], run.restored.checkpoint.preprocessing.facts.input_shape)
    names = run.restored.checkpoint.preprocessing.facts.feature_names
    if kernel is not None and np.isfinite(kernel).all():
        if layer.config.type == "dense" and image is not None:
            return _units(kernel.reshape(*image, -1), "unit")
        if layer.config.type == "conv2d":
            return _units(kernel, "filter")
        if layer.config.type == "dense" and names is not None and len(names) == len(kernel):
            return (_features(kernel, names),)
    text = f"The weights of its first layer with any, {layer.config.type}, are no pictures."
    return (Words(text, "missing"),)


def _image_shape(before: tuple[PlannedLayer, ...], shape: Shape) -> Shape | None:
    """(height, width, channels) of what a dense layer sees flattened; None: it sees no picture."""
    if len(shape) not in {2, 3} or any(layer.config.type != "flatten" for layer in before):
        return None
    height, width, channels = (*shape, 1)[:3]
    is_picture = min(height, width) > 1 and channels in {1, 3} and bool(before)
    return (height, width, channels) if is_picture else None


def _units(kernel: NDArray[Any], what: str) -> tuple[Block, ...]:
    """``kernel``: (height, width, channels, units); of colours the mean over the channels."""
    units = kernel.astype(np.float64).mean(axis=2)
    number = units.shape[-1]
    # The units that weigh most: those that hardly differ from none say nothing.
    order = np.argsort(-np.sqrt((units**2).sum(axis=(0, 1))), kind="stable")[:_MAX_PICTURES]
    largest = float(np.quantile(np.abs(units[..., order]), 0.995))
    pictures = tuple(
        Picture(
            weights_uri(units[..., unit], largest),
            f"Weights of {what} {unit}",
            f"{what} {unit}",
        )
        for unit in order
    )
    some = (
        f"The {len(order)} with the largest weights of {number:,} {what}s. "
        if number > len(order)
        else ""
    )
    channels = kernel.shape[2]
    mean = f"The mean over its {channels} channels. " if channels > 1 else ""
    return (Pictures(pictures, f"{some}{mean}{_LEGEND}"),)


def _features(kernel: NDArray[Any], names: tuple[str, ...]) -> Table:
    sizes = np.sqrt((kernel.astype(np.float64) ** 2).mean(axis=1))
    order = np.argsort(-sizes, kind="stable")[:_MAX_FEATURES]
    of_all = f" The first {len(order)} of {len(names):,} inputs." if len(names) > len(order) else ""
    return Table(
        caption="The inputs by the size of their weights in the first layer",
        header=("input", "root mean square of its weights"),
        rows=tuple((names[i], f"{sizes[i]:.4f}") for i in order),
        numbers=frozenset({1}),
        note="Inputs are scaled before they are weighed; a large weight says that an input is "
        f"used, not what for.{of_all}",
    )
