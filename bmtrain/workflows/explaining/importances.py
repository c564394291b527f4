"""What holds for the whole model: the importance of each column of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import Split
from bmtrain.data.raw.streamed_rows import held
from bmtrain.explanations.parts import columns_of
from bmtrain.explanations.permutation import permutation_importance, seeded_permutations
from bmtrain.workflows.explaining.examples import Examples
from bmtrain.workflows.restoring import Restored

if TYPE_CHECKING:
    from bmtrain.workflows.session import Session

#: Columns are permuted over so many examples at most, evenly over all.
MAX_PERMUTED: Final = 10_000


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
