"""What can be said of the inputs as a whole: finite, constant, and how they are scaled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.checks.finding import Finding, examples
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.examples.normalization import mean_and_deviation
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.raw.streamed_rows import value_blocks
from bmtrain.data.wording.quoting import listed_and_more, short

_NORMALIZE = ("data", "normalize")
# Divided by 255, values up to this leave nine tenths of the usual range empty.
_SMALL_UINT8 = 25
# Gradient descent is as slow as the smallest scale, where the largest bounds the learning rate.
_FAR_SCALES = 1000
# Layers start with weights that suit inputs of about 1.
_LARGE_INPUT = 100


def feature_findings(dataset: Dataset, preprocessing: Preprocessing | None) -> Iterator[Finding]:
    """All values finite; constant features; inputs that are too small, too large or far apart."""
    train = dataset.splits["train"]
    yield _finite(dataset)
    ends = [(block.min(axis=0), block.max(axis=0)) for block in value_blocks(train.features)]
    low = np.min([low for low, _ in ends], axis=0)
    high = np.max([high for _, high in ends], axis=0)
    yield _constant((low == high) & dataset.facts.is_number.reshape(-1), dataset.facts)
    if preprocessing is None or (low == high).all():
        return
    if preprocessing.normalize == "unit" and train.features.dtype == np.uint8:
        yield from _small_integers(int(high.max()))
    elif preprocessing.normalize == "none":
        yield from _scales(train, dataset.facts)


def _finite(dataset: Dataset) -> Finding:
    for name, split in dataset.splits.items():
        if split.features.dtype.kind != "f":
            continue  # integers are finite
        count = sum(
            int(np.count_nonzero(~np.isfinite(block).all(axis=1)))
            for block in value_blocks(split.features)
        )
        if count:
            message = f"{name}: {examples(count)} with NaN or infinity; remove or mend them"
            return Finding("error", message, ("data", "source"))
    return Finding("ok", "all values are finite")


def _constant(is_constant: NDArray[np.bool_], facts: DataFacts) -> Finding:
    constant = np.flatnonzero(is_constant)
    if not constant.size:
        return Finding("ok", "no feature is constant")
    are = "is" if constant.size == 1 else "are"
    message = f"{constant.size:,} of {is_constant.size:,} features {are} constant in train"
    if facts.feature_names is not None:
        names = [short(facts.feature_names[index]) for index in constant]
        them = "it" if constant.size == 1 else "them"
        message += f": {listed_and_more(names)}; data.features can leave {them} out"
        return Finding("warning", message, ("data", "features"))
    # The rim of a picture is often constant; a whole picture is a mistake.
    is_all = constant.size == is_constant.size
    message += "; there is nothing to learn from: look at the source" if is_all else ""
    return Finding("warning" if is_all else "ok", message, ("data", "source"))


def _small_integers(highest: int) -> Iterator[Finding]:
    if highest <= _SMALL_UINT8:
        scaling = "none" if highest == 1 else "standardize"
        message = (
            f"no value is above {highest}, and normalize: unit divides by 255: no input is above "
            f"{highest / 255:.2g}; write data.normalize: {scaling}"
        )
        yield Finding("warning", message, _NORMALIZE)


def _scales(train: Split, facts: DataFacts) -> Iterator[Finding]:
    """Inputs as they are; per feature where an example is a vector, else over all values."""
    mean, deviation = mean_and_deviation(train.features)
    varying = np.flatnonzero(deviation > 0)
    if not varying.size:
        return
    least, most = varying[deviation[varying].argmin()], varying[deviation[varying].argmax()]
    size = np.abs(mean) + deviation
    if deviation[most] > _FAR_SCALES * deviation[least]:
        message = (
            f"the features' scales are far apart, from s.d. {deviation[least]:.3g} "
            f"({_name(facts, int(least))}) to {deviation[most]:.3g} ({_name(facts, int(most))}), "
            "and normalize: none leaves them so"
        )
    elif size.max() > _LARGE_INPUT:
        largest = int(size.argmax())
        which = f" of {_name(facts, largest)}" if len(size) > 1 else ""
        message = (
            f"inputs are large: mean {mean[largest]:.3g}, s.d. {deviation[largest]:.3g}{which}, "
            "and normalize: none leaves them so"
        )
    else:
        return
    yield Finding("warning", f"{message}; write data.normalize: standardize", _NORMALIZE)


def _name(facts: DataFacts, column: int) -> str:
    return (
        f"feature {column}" if facts.feature_names is None else short(facts.feature_names[column])
    )
