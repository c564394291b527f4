"""What can be said of a table's categories and gaps: too many, too few, never seen in training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.checks.finding import Finding
from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.examples.dataset import Dataset
from bmtrain.data.wording.quoting import listed_and_more, short

_CATEGORICAL = ("data", "categorical")
_MISSING = ("data", "missing")
# A category on average has as many training examples at least; of fewer nothing is learned.
_FEW_EXAMPLES = 3
_MIN_EXAMPLES = 20


def category_findings(dataset: Dataset) -> Iterator[Finding]:
    """Nothing where the inputs are no encoded table."""
    encoding = dataset.facts.encoding
    if not isinstance(encoding, TableEncoding):
        return
    columns = {part.name: columns_of(encoding, part) for part in encoding.inputs}
    categories = [part for part in encoding.inputs if isinstance(part, CategoricalInput)]
    if categories:
        total = sum(len(part.categories) for part in categories)
        yield Finding("ok", f"{_count(len(categories), 'column')} of {total:,} categories")
    yield from _sizes(categories, dataset.splits["train"].num_examples)
    for name, split in dataset.splits.items():
        if name == "train":
            continue
        for part in categories:
            unseen = split.array[:, columns[part.name]][:, len(part.categories)]
            if count := int(np.count_nonzero(unseen)):
                message = (
                    f"{name}: {count:,} of {split.num_examples:,} examples have a category of "
                    f"{short(part.name)} that no training example has; the model learns nothing "
                    "of it"
                )
                yield Finding("warning", message, _CATEGORICAL)
    yield from _gaps(encoding, dataset)


def columns_of(encoding: TableEncoding, wanted: NumericInput | CategoricalInput) -> slice:
    """Where the inputs of one column are."""
    start = 0
    for part in encoding.inputs:
        stop = start + len(part.input_names)
        if part == wanted:
            return slice(start, stop)
        start = stop
    raise KeyError(wanted.name)


def _sizes(categories: list[CategoricalInput], num_train: int) -> Iterator[Finding]:
    single = [short(part.name) for part in categories if len(part.categories) < 2]
    if single:
        message = f"all training examples are of one category in {listed_and_more(single)}"
        yield Finding("warning", f"{message}; data.features can leave it out", _CATEGORICAL)
    if num_train < _MIN_EXAMPLES:
        return
    for part in categories:
        if len(part.categories) * _FEW_EXAMPLES > num_train:
            message = (
                f"{short(part.name)} has {len(part.categories):,} categories in {num_train:,} "
                "training examples: it names the row rather than a kind; leave it out through "
                "data.features"
            )
            yield Finding("warning", message, _CATEGORICAL)


def _gaps(encoding: TableEncoding, dataset: Dataset) -> Iterator[Finding]:
    """Numbers that were missing can be counted where an input says so."""
    told = []
    train = dataset.splits["train"].array
    for part in encoding.inputs:
        is_missing = _missing(encoding, part, train)
        if is_missing is not None and (count := int(is_missing.sum())):
            told.append(f"{short(part.name)} ({count:,})")
    if told:
        message = f"training examples without a value, by column: {listed_and_more(told)}"
        yield Finding("ok", message, _MISSING)


def _missing(
    encoding: TableEncoding, part: NumericInput | CategoricalInput, values: NDArray[np.generic]
) -> NDArray[np.bool_] | None:
    has_one = part.has_indicator if isinstance(part, NumericInput) else part.may_be_missing
    return values[:, columns_of(encoding, part)][:, -1] == 1 if has_one else None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
