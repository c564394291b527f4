"""Each example's attributions, by the parts that a person sees: pixels, tokens, columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.explanations.parts import (
    cells,
    columns_of,
    kind_of,
    num_tokens,
    patches,
    tokens_of,
)
from bmtrain.figures import class_name
from bmtrain.models.completeness import Integral
from bmtrain.models.decision import class_probabilities, predicted_classes, takes_logits
from bmtrain.workflows.explaining.examples import Examples, column_of, said
from bmtrain.workflows.explaining.request import Method
from bmtrain.workflows.recorded_examples import file_below
from bmtrain.workflows.restoring import Restored

if TYPE_CHECKING:
    from bmtrain.engine.attributions import Attributor
    from bmtrain.workflows.session import Session


@dataclass(frozen=True, slots=True)
class Explanation:
    """One example and what its outputs are made of.

    Attributes:
        file: where it is, and ``file_shown``, that below the data's source.
        features: as it was read.
        said: ``predicted``, ``probability``, ``target``.
        column: the number of the class or target that is explained, and ``of``, its name.
        names: of the parts, tokens or columns, and what the example has there; of pictures none.
        integral: attributions by part: (tokens,), (columns,) or (height, width).
        occlusion: the same shape: what the probability, or of numbers the output, loses.
    """

    number: int
    file: Path | None
    features: NDArray[Any]
    said: dict[str, Any]
    column: int
    of: str
    names: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    integral: Integral | None = None
    occlusion: NDArray[np.float64] | None = None
    patch_side: int | None = None
    file_shown: str = ""


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains examples of one model; ``target``: of which class or target, None: see the request."""

    restored: Restored
    attributor: Attributor
    methods: tuple[Method, ...]
    target: int | None

    def explained(self, examples: Examples, number: int) -> Explanation:
        """Example ``number`` of ``examples``."""
        experiment = self.restored.checkpoint.experiment
        facts = self.restored.checkpoint.preprocessing.facts
        features = np.ascontiguousarray(examples.features[number : number + 1])
        inputs, mask = self.attributor.inputs(features)
        steps = None if mask is None else mask[0]
        _, outputs = self.attributor.scores(inputs, steps)
        label = None if examples.labels is None else examples.labels[number]
        column = self._column(outputs)
        named = facts.class_names is not None
        file = None if examples.files is None else examples.files[number]
        explanation = Explanation(
            number,
            file,
            features[0],
            said(experiment, facts, outputs[0], label),
            column,
            class_name(facts.class_names or (), column) if named else f"target {column}",
        )
        names, shown = _parts(self.restored, features[0])
        explanation = replace(explanation, names=names, cells=shown)
        if file is not None:
            below = file_below(experiment.data.source, file)
            explanation = replace(explanation, file_shown=below)
        baseline = self.attributor.baseline(features[0])
        if "integrated_gradients" in self.methods:
            integral = self.attributor.integrated_gradients(inputs[0], baseline, steps, column)
            by_part = _by_part(self.restored, integral.attributions, features[0])
            explanation = replace(explanation, integral=replace(integral, attributions=by_part))
        if "occlusion" in self.methods:
            part_of, side = _occluded_parts(self.restored, features[0])
            outputs = self.attributor.occluded_outputs(inputs[0], baseline, steps, part_of)
            values = outputs if not named else class_probabilities(experiment, outputs)
            chances = column_of(values, column)
            lost = chances[0] - chances[1:]
            occlusion = lost[part_of] if side is not None else lost[: len(explanation.names)]
            explanation = replace(explanation, occlusion=occlusion, patch_side=side)
        return explanation

    def _column(self, outputs: NDArray[np.float32]) -> int:
        if self.target is not None:
            return self.target
        if self.restored.checkpoint.preprocessing.facts.class_names is None:
            return 0
        return int(predicted_classes(self.restored.checkpoint.experiment, outputs)[0])


def attributor_of(restored: Restored, session: Session) -> Attributor:
    """What explains the model of a session that has the checkpoint's weights."""
    from bmtrain.engine.attributions import Attributor  # the caller started TensorFlow

    experiment = restored.checkpoint.experiment
    return Attributor(
        session.problem,
        session.placement,
        is_crossentropy=experiment.loss.is_crossentropy,
        takes_logits=takes_logits(experiment),
    )


def explained_examples(
    explainer: Explainer, session: Session, examples: Examples, numbers: Iterable[int]
) -> list[Explanation]:
    """Those of the examples that have these numbers, one after the other.

    Raises:
        EnvironmentFault: the device's memory is out.
    """
    from bmtrain.models.problem import averaged_weights
    from bmtrain.workflows.session import native_faults

    with native_faults(session.engine.device), averaged_weights(session.problem):
        return [explainer.explained(examples, number) for number in numbers]


def _parts(restored: Restored, example: NDArray[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of tokens or columns, and of columns what the example has there."""
    facts = restored.checkpoint.preprocessing.facts
    if isinstance(facts.encoding, TextEncoding):
        return tokens_of(facts.encoding, example), ()
    if kind_of(facts) == "table":
        columns = columns_of(facts)
        return columns.names, cells(facts, columns, example)
    return (), ()


def _by_part(
    restored: Restored, values: NDArray[np.float64], example: NDArray[Any]
) -> NDArray[np.float64]:
    """Sums: the completeness stays. Padding has nothing, as it is what the baseline is made of."""
    facts = restored.checkpoint.preprocessing.facts
    match kind_of(facts):
        case "text":
            return np.asarray(values.sum(axis=1)[: num_tokens(example)])
        case "table":
            return columns_of(facts).summed(values)
        case "picture" if values.ndim == 3:
            return np.asarray(values.sum(axis=2))
    return values


def _occluded_parts(
    restored: Restored, example: NDArray[Any]
) -> tuple[NDArray[np.int64], int | None]:
    """The part that each input is of; a patch's side where parts are patches."""
    facts = restored.checkpoint.preprocessing.facts
    match kind_of(facts):
        case "text":
            # All padding is one more part, which is what it is taken for anyway.
            return np.minimum(np.arange(len(example)), num_tokens(example)), None
        case "table":
            return columns_of(facts).part_of, None
    return patches(example.shape)
