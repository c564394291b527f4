"""What each example counts in the loss: sample weights s_i, class weights c_k, and their product.

``loss`` is the mean over examples of w_i·ℓ_i, w_i = s_i·c_(label of i), wherever it is measured:
in training it is what is minimised (with the penalty), as ``keras.Model.fit`` has it, and a
validation or test loss is the same quantity on other examples. The mean is over examples, not over
weights: weights of twice the size are a loss of twice the size. Metrics weigh all examples alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.raw.source import Place, RawArray, SplitName
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, listed_and_more, quoted, short
from bmtrain.errors import DataError

ClassWeight = Literal["balanced"] | Mapping[str, float]
_KEY = ("training", "class_weight")


def as_weights(values: RawArray, place: Place) -> NDArray[np.float32]:
    """Sample weights as float32 (examples,).

    Raises:
        DataError: no numbers, one of them negative or not finite, all of them 0.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        got = f"{values.dtype.name} of shape {values.shape}"
        raise DataError(f"expected a weight per example, got {got}", where=place.name)
    with np.errstate(over="ignore"):
        weights = values.astype(np.float32)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        first = int(wrong[0])
        more = f", the first of {len(wrong):,} such weights" if len(wrong) > 1 else ""
        raise DataError(
            f"expected a finite weight >= 0, got {values[first]:g}{more}", where=place.row(first)
        )
    if not weights.any():
        raise DataError("all weights are 0", where=place.name)
    return weights


def class_weights(
    setting: ClassWeight, labels: NDArray[np.int32], class_names: Sequence[str]
) -> tuple[float, ...]:
    """What an example of each class counts; float32 values.

    ``balanced``: m/(K·m_c), as scikit-learn has it, m the training examples, K the classes that
    they have, m_c those of class c; over them the mean is 1. A class without any counts 1.

    Raises:
        DataError: a name is no class; the training examples all count 0.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if setting == "balanced":
        balanced = len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights = np.where(counts > 0, balanced, 1.0)
    else:
        for name in setting:
            if name not in class_names:
                raise DataError(
                    f"there is no class {quoted(name)}; the classes are: {listed(class_names)}",
                    key=(*_KEY, name),
                    hint=did_you_mean(name, class_names),
                )
        weights = np.array([setting.get(name, 1.0) for name in class_names])
    if not weights[counts > 0].any():
        raise DataError("all classes have the weight 0: there is nothing to learn from", key=_KEY)
    return tuple(weights.astype(np.float32).tolist())


def weighted(dataset: Dataset, setting: ClassWeight | None) -> Dataset:
    """The data set with class weights, of its training split, in the weights of all splits."""
    names = dataset.facts.class_names
    if setting is None or names is None:
        return dataset
    found = class_weights(setting, dataset.splits["train"].labels.astype(np.int32), names)
    splits = {
        name: replace(split, weights=example_weights(split.labels, split.weights, found))
        for name, split in dataset.splits.items()
    }
    require_some_weight(splits)
    return Dataset(splits, replace(dataset.facts, class_weights=found), dataset.fingerprints)


def require_some_weight(splits: Mapping[SplitName, Split]) -> None:
    """DataError where a split, drawn perhaps, has no example that counts."""
    for name, split in splits.items():
        if split.weights is not None and not split.weights.any():
            raise DataError(f"all {name} examples have the weight 0", key=("data", "splits"))


def describe_weights(facts: DataFacts) -> str | None:
    """What the loss is weighted by, in words; None where all examples count 1."""
    words = []
    if facts.class_weights is not None:
        pairs = zip(facts.class_names or (), facts.class_weights, strict=True)
        words.append("class: " + listed_and_more([f"{short(n)}: {w:.4g}" for n, w in pairs]))
    if facts.weight_name is not None:
        words.append(f"example: {quoted(facts.weight_name)}")
    return f"the loss is weighted by {'; by '.join(words)}" if words else None


def example_weights(
    labels: NDArray[Any],
    sample_weights: NDArray[np.float32] | None,
    of_classes: tuple[float, ...] | None,
) -> NDArray[np.float32] | None:
    """s_i·c_(label of i), float32 (examples,); None where there is neither."""
    if of_classes is None:
        return sample_weights
    by_class: NDArray[np.float32] = np.array(of_classes, np.float32)[labels]
    if sample_weights is None:
        return by_class
    with np.errstate(over="ignore", under="ignore"):
        return np.multiply(sample_weights, by_class, dtype=np.float32)
