"""Explanations of examples that a program holds, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import DataFacts
from bmtrain.explanations.parts import columns_of, kind_of
from bmtrain.models.completeness import Integral
from bmtrain.workflows.explaining.attributing import Explainer, Explanation, explained_examples
from bmtrain.workflows.explaining.examples import Examples, require_target
from bmtrain.workflows.explaining.request import SUITED, Method, suited_methods
from bmtrain.workflows.restoring import Restored

if TYPE_CHECKING:
    from bmtrain.engine.attributions import Attributor
    from bmtrain.workflows.session import Session

#: Methods that explain single examples.
ExampleMethod = Literal["integrated_gradients", "occlusion"]
_OF_EXAMPLES: Final[tuple[Method, ...]] = ("integrated_gradients", "occlusion")


@dataclass(frozen=True, slots=True)
class Explanations:
    """What a model's outputs are made of, example by example, in the order that was given.

    A part of an example is what a person sees: a pixel, its channels added up; a token; a column,
    the inputs of its category added up. Of all other arrays it is a single value.

    Attributes:
        integrated_gradients: float64 (examples, *parts): how much each part adds to the score F:
            (examples, height, width), (examples, length) with 0 where a text is padded,
            (examples, columns), or the shape of the examples. None: it was not asked for.
        occlusion: the same shape: what the probability of the class, or of numbers the output,
            loses where the part is taken away; of pictures each pixel has the value of its patch.
            None: it was not asked for, or does not suit the data.
        parts: of tables the columns' names; of texts each example's tokens; else None.
        score: what F is: "logit", "probability" or "output".
        explained: int64 (examples,): the class or target that is explained.
        scores, baseline_scores: float64 (examples,): F(x) and F(x') of it, NaN without
            integrated gradients.
        errors: float64 (examples,): |Σ integrated gradients − (F(x) − F(x'))|: how far they are
            from complete; NaN without them.
        is_complete: bool (examples,): whether that is within 1 % of F(x) − F(x'), or within what
            float32 can tell; where it is not, do not trust their sizes.
        num_steps: int64 (examples,): at how many places of the path the gradient was taken.
    """

    integrated_gradients: NDArray[np.float64] | None
    occlusion: NDArray[np.float64] | None
    parts: tuple[str, ...] | tuple[tuple[str, ...], ...] | None
    score: Literal["logit", "probability", "output"]
    explained: NDArray[np.int64]
    scores: NDArray[np.float64]
    baseline_scores: NDArray[np.float64]
    errors: NDArray[np.float64]
    is_complete: NDArray[np.bool_]
    num_steps: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained how: a class or target by number, None as in ``explain``."""

    target: int | None
    methods: tuple[Method, ...]


def asked_of(restored: Restored, target: str | int | None, methods: Sequence[str] | None) -> Asked:
    """The same, checked.

    Raises:
        UsageError: there is no such class, target or method, or the method does not suit the data.
    """
    facts = restored.checkpoint.preprocessing.facts
    kind = kind_of(facts)
    suited = [method for method in SUITED[kind] if method in _OF_EXAMPLES]
    text = None if target is None else str(target)
    number = require_target(text, facts, restored.architecture.output_shape[0], "target")
    asked = suited if methods is None else methods
    return Asked(number, suited_methods(asked, kind, suited, "methods: "))


def explanations_of(
    restored: Restored,
    session: Session,
    attributor: Attributor,
    features: NDArray[Any],
    asked: Asked,
) -> Explanations:
    """Of features (examples, ...) as the model takes them."""
    facts = restored.checkpoint.preprocessing.facts
    explainer = Explainer(restored, attributor, asked.methods, asked.target)
    examples = Examples("the examples", features, None, None)
    found = explained_examples(explainer, session, examples, range(len(features)))
    integrals = [explanation.integral for explanation in found]
    return Explanations(
        _stacked([None if i is None else i.attributions for i in integrals], facts),
        _stacked([explanation.occlusion for explanation in found], facts),
        _parts(found, facts),
        attributor.score,
        np.array([explanation.column for explanation in found], np.int64),
        *_measured(integrals),
    )


def _measured(integrals: Sequence[Integral | None]) -> tuple[Any, ...]:
    rows = [
        (np.nan, np.nan, np.nan, False, 0)
        if i is None
        else (i.score, i.baseline_score, i.error, i.is_complete, i.num_steps)
        for i in integrals
    ]
    dtypes = (np.float64, np.float64, np.float64, np.bool_, np.int64)
    return tuple(
        np.array([row[place] for row in rows], dtype) for place, dtype in enumerate(dtypes)
    )


def _stacked(
    values: Sequence[NDArray[np.float64] | None], facts: DataFacts
) -> NDArray[np.float64] | None:
    """One array; texts, whose padding has no values, are filled up with 0."""
    whole = [found for found in values if found is not None]
    if len(whole) < len(values) or not whole:
        return None
    if kind_of(facts) != "text":
        return np.stack(whole)
    filled = np.zeros((len(whole), *facts.input_shape))
    for row, found in zip(filled, whole, strict=True):
        row[: len(found)] = found
    return filled


def _parts(
    found: Sequence[Explanation], facts: DataFacts
) -> tuple[str, ...] | tuple[tuple[str, ...], ...] | None:
    match kind_of(facts):
        case "table":
            return columns_of(facts).names
        case "text":
            return tuple(explanation.names for explanation in found)
    return None
