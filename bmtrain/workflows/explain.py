"""``bmtrain explain``: what a model looks at, in single examples and as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.errors import UsageError
from bmtrain.explanations.parts import Kind, kind_of
from bmtrain.workflows.explaining.attributing import (
    Explainer,
    attributor_of,
    explained_examples,
)
from bmtrain.workflows.explaining.examples import (
    Examples,
    chosen_numbers,
    read_examples,
    require_target,
    worst_numbers,
)
from bmtrain.workflows.explaining.importances import importances
from bmtrain.workflows.explaining.request import ExplainRequest, Method, chosen_methods
from bmtrain.workflows.explaining.writing import DIRECTORY, require_directory, write_explanations
from bmtrain.workflows.first_layer import FirstLayer, first_layer
from bmtrain.workflows.restoring import Restored, read_restored, restored_session

if TYPE_CHECKING:
    from bmtrain.workflows.session import Session


def explain(
    request: ExplainRequest, note: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """The document of ``explain --json``; it, a page and pictures are written to the directory.

    Args:
        request: what to explain.
        note: told which file the run recorded as its data, before that is opened.

    Raises:
        UsageError: a method that does not suit the data, or a target that is not there.
        CheckpointError, DataError, EnvironmentFault.
    """
    request.check()
    restored = read_restored(request.checkpoint, request.plugins)
    facts = restored.checkpoint.preprocessing.facts
    kind = kind_of(facts)
    methods = chosen_methods(request, kind)
    target = require_target(request.target, facts, restored.architecture.output_shape[0])
    layer = first_layer(restored) if "weights" in methods else None
    if layer is None and "weights" in request.methods:
        raise UsageError(
            "--method weights: the first layer with weights sees neither pixels nor columns",
            hint="what can be shown is a dense layer of them, or a conv2d",
        )
    directory = _directory(request, restored)
    require_directory(directory, force=request.force)
    examples = read_examples(request, restored, note)
    numbers = chosen_numbers(request, examples)
    with restored_session(restored) as session:
        if numbers is None:
            numbers = _worst(request, restored, session, examples)
        attributor = attributor_of(restored, session)
        explainer = Explainer(restored, attributor, methods, target)
        explanations = explained_examples(explainer, session, examples, numbers)
        permutation = (
            importances(restored, session, examples, request.repeats)
            if "permutation" in methods
            else None
        )
    shown = tuple(method for method in methods if method != "weights" or layer is not None)
    document = _document(restored, examples, kind, shown)
    document |= {
        "explained": attributor.score,
        "baseline": _baseline(kind, facts.input_dtype, restored),
        "permutation": permutation,
        "weights": None if layer is None else _weights(layer),
    }
    return write_explanations(directory, document, explanations, layer)


def _worst(
    request: ExplainRequest, restored: Restored, session: Session, examples: Examples
) -> tuple[int, ...]:
    from bmtrain.data.examples.dataset import BLOCK_SIZE

    number = len(examples.features)
    outputs: NDArray[np.float32] = np.concatenate(
        [
            session.evaluator.predict(examples.features[start : start + BLOCK_SIZE])
            for start in range(0, number, BLOCK_SIZE)
        ]
    )
    assert examples.labels is not None  # the request needs them
    assert request.worst is not None
    return worst_numbers(restored.checkpoint.experiment, outputs, examples.labels, request.worst)


def _directory(request: ExplainRequest, restored: Restored) -> Path:
    if request.output is not None:
        return request.output
    if restored.found.is_run:
        return request.checkpoint / DIRECTORY
    return Path(f"{restored.checkpoint.experiment.name}-explanations")


def _baseline(kind: Kind, input_dtype: str, restored: Restored) -> str:
    if kind == "text":
        return "the vectors of padding"
    if input_dtype == "uint8":
        return "black" if kind == "picture" else "0"
    return {
        "standardize": "the training split's means, and no category",
        "unit": "the training split's least values",
    }.get(restored.checkpoint.preprocessing.normalize, "0")


def _weights(layer: FirstLayer) -> dict[str, Any]:
    return {
        "layer": layer.position,
        "type": layer.type,
        "kernel_shape": list(layer.kernel_shape),
        "units": None if layer.tiles is None else list(layer.tiles.units),
        "features": [{"name": name, "norm": norm} for name, norm in layer.norms] or None,
    }


def _document(
    restored: Restored, examples: Examples, kind: Kind, methods: tuple[Method, ...]
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "name": restored.checkpoint.experiment.name,
        "checkpoint": str(restored.found.path),
        "which": restored.found.which,
        "skipped": list(restored.warnings),
        "split": examples.name,
        "kind": kind,
        "methods": list(methods),
    }
