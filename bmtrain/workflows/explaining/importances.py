"""What holds for the whole model: the importance of each column, and its first layer's weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import Split
from bmtrain.data.raw.streamed_rows import held
from bmtrain.explanations.parts import Kind, columns_of, kind_of
from bmtrain.explanations.permutation import permutation_importance, seeded_permutations
from bmtrain.workflows.explaining.examples import Examples
from bmtrain.workflows.restoring import Restored

if TYPE_CHECKING:
    from bmtrain.workflows.session import Session

#: Columns are permuted over so many examples at most, evenly over all.
MAX_PERMUTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class FirstLayer:
    """The first layer that has weights.

    Attributes:
        tiles: (height, width, units) of a layer that sees pixels, the mean over the channels.
        norms: (names, √Σw² over the units and the column's inputs) of one that sees columns.
    """

    position: int
    type: str
    kernel_shape: tuple[int, ...]
    tiles: NDArray[Any] | None = None
    norms: tuple[tuple[str, float], ...] = ()


def importances(
    restored: Restored, session: Session, examples: Examples, repeats: int
) -> dict[str, Any]:
    """The document's ``permutation``: the config's first metric, or else the loss."""
    experiment = restored.checkpoint.experiment
    columns = columns_of(restored.checkpoint.preprocessing.facts)
    number = len(examples.features)
    chosen = np.linspace(0, number - 1, min(number, MAX_PERMUTED)).astype(np.int64)
    assert examples.labels is not None  # they were read where permutation is a method
    split = Split(held(examples.features[chosen]), examples.labels[chosen])
    name = experiment.metrics[0] if experiment.metrics else "loss"

    def figure(features: NDArray[Any]) -> float:
        return session.evaluator.evaluate(replace(split, features=features)).figures[name]

    found = permutation_importance(
        figure,
        split.array,
        columns,
        seeded_permutations(split.num_examples, repeats, experiment.seed),
        higher_is_better=session.problem.more_is_better(name),
    )
    order = np.argsort(-found.means, kind="stable").tolist()
    return {
        "metric": name,
        "higher_is_better": session.problem.more_is_better(name),
        "value": found.value,
        "examples": split.num_examples,
        "repeats": repeats,
        "seed": experiment.seed,
        "features": [
            {
                "name": columns.names[column],
                "importance": float(found.means[column]),
                "standard_deviation": float(found.deviations[column]),
            }
            for column in order
        ],
    }


def first_layer(restored: Restored) -> FirstLayer | None:
    """What its weights look for; None where they see neither pixels nor columns."""
    layers = restored.architecture.layers
    facts = restored.checkpoint.preprocessing.facts
    position = next((at for at, layer in enumerate(layers) if layer.variables), None)
    if position is None:
        return None
    kind = layers[position].config.type
    kernel = restored.checkpoint.model.get(f"layers.{position}.kernel")
    seen: Kind = kind_of(facts)
    is_plain = all(layer.config.type in {"flatten", "reshape"} for layer in layers[:position])
    if kernel is None or not is_plain or not np.isfinite(kernel).all():
        return None
    found = FirstLayer(position, kind, kernel.shape)
    if seen == "picture" and kind == "dense":
        # A picture that is not flattened is taken row by row: its columns are the inputs.
        if kernel.shape[0] != math.prod(facts.input_shape):
            return None
        shape = (*facts.input_shape, 1)[:3]
        return replace(found, tiles=kernel.reshape(*shape, -1).mean(axis=2))
    if seen == "picture" and kind == "conv2d":
        return replace(found, tiles=kernel.mean(axis=2))
    if seen == "table" and kind == "dense":
        columns = columns_of(facts)
        squares = columns.summed((kernel.astype(np.float64) ** 2).sum(axis=1))
        norms = sorted(
            zip(columns.names, np.sqrt(squares).tolist(), strict=True), key=lambda pair: -pair[1]
        )
        return replace(found, norms=tuple(norms))
    return None
