"""What every format is told of a model, and what it has to offer. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.models.architecture import Architecture
from bmtrain.models.shapes.planned import PlannedLayer

#: What a file format with 32-bit offsets holds; 100 MB are left for everything but weights.
MAX_PROTOCOL_BYTES = 2**31 - 100_000_000

#: Raw features (examples, *input_shape) of the training data's dtype ↦ outputs (examples, outputs).
Run = Callable[[NDArray[np.generic]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A model to be exported.

    Attributes:
        weights: every variable by its position, ``layers.1.kernel``.
        description: what the export says of itself: plain JSON, see ``bmtrain.exports.description``.
        keras_model: plain Keras layers behind the preprocessing; takes raw inputs.
    """

    architecture: Architecture
    facts: DataFacts
    weights: Mapping[str, NDArray[Any]]
    description: Mapping[str, Any]
    keras_model: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One format.

    Attributes:
        suffix: of its files' names; SavedModel is a directory.
        is_directory: it is one.
        holds_description: it is inside; otherwise it goes into a JSON file beside.
        require: EnvironmentFault where its library is not installed.
        objection: what the format cannot express of this model, or None.
        require_model: UsageError where only the Keras model shows what cannot be expressed, which
            is that of a plugin's layers; without preprocessing. TensorFlow is started.
        write: the content as a new file or directory.
        runtime: the program that loads it again, with its version.
        load: what that program computes; raises what it raises.
        usage: how it is loaded, in Python; ``{path}`` is a string literal.
    """

    suffix: str
    is_directory: bool = False
    holds_description: bool = False
    require: Callable[[], None] = lambda: None
    objection: Callable[[Architecture, DataFacts], str | None] = lambda architecture, facts: None
    require_model: Callable[[Any], None] | None = None
    write: Callable[[Content, Path], None]
    runtime: Callable[[], str]
    load: Callable[[Path], Run]
    usage: str


def of_plugins(architecture: Architecture, what: str, name: str = "layer ") -> str | None:
    """An objection where a layer, or one that a layer is made of, is a plugin's.

    ``what``: why the format has none.
    """
    return next(_of_plugins(architecture.layers, what, name), None)


def _of_plugins(layers: Sequence[PlannedLayer], what: str, name: str) -> Iterator[str]:
    for position, layer in enumerate(layers):
        if layer.plugin is not None:
            yield (
                f"{name}{position} ({layer.config.type}) is a plugin's, and {what}; savedmodel and "
                "litert hold it, and keras does if its class is registered"
            )
        yield from _of_plugins(tuple(layer.inner.values()), what, f"{name}{position}.")


def too_large(architecture: Architecture, container: str) -> str | None:
    """An objection where the weights (float32) do not fit into one file of the format."""
    num_bytes = 4 * architecture.num_parameters
    if num_bytes <= MAX_PROTOCOL_BYTES:
        return None
    return (
        f"its weights take {num_bytes / 1e9:.1f} GB, and {container} holds less than 2.1; "
        "safetensors, keras and savedmodel hold any size"
    )
