"""What can be said of single columns: leaks, row numbers, codes for "missing", lone extremes.

Only where an example is a vector. What is looked for is judged by its distance from the
column's other values, so that a long tail or a rare flag is no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.checks.finding import Finding
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.wording.identifier_names import names_the_row
from bmtrain.data.wording.quoting import listed_and_more, short

# Of fewer examples than this nothing can be told.
_MIN_EXAMPLES = 20
_MAX_COLUMNS = 2_000
# Values that are sorted; of more, rows are looked at in equal distances.
_MAX_SORTED = 4_000_000
# A column of fewer different values holds codes of something.
_MIN_VALUES = 11
# A lone extreme is this many ranges of all other values away from them.
_FAR_RANGES = 10
_FEW_SHARE = 0.01
_FEW_OTHERS = 10
# Counts and expressions: so many columns, nearly all of them with zeros, mean their zeros.
_MANY_COLUMNS = 20
_NEARLY_ALL = 0.9
_NINES = re.compile(r"9+")
# Of these faults every column has values of its own, and the first columns are told whole.
_OWN_VALUES = ("stand-in", "extreme")
_MAX_WHOLE = 3
# What is called an identifier is one though some rows are there twice.
_MOSTLY = 0.9
_FEATURES = ("data", "features")
_SOURCE = ("data", "source")


@dataclass(frozen=True, slots=True)
class _Column:
    """One feature of the training split.

    ``values`` are its different ones in ascending order, ``counts`` how often each is there:
    among the rows that were looked at. ``all`` is the whole column. It is no number where it
    says whether an example is of one category.
    """

    name: str
    values: NDArray[np.generic]
    counts: NDArray[np.int64]
    all: NDArray[np.generic]
    is_number: bool


def column_findings(dataset: Dataset) -> list[Finding]:
    """One finding per fault, with the columns that have it; nothing where none has."""
    train, facts = dataset.splits["train"], dataset.facts
    is_vector = train.features.ndim == 2 and train.features.shape[1] <= _MAX_COLUMNS
    if not is_vector or train.num_examples < _MIN_EXAMPLES:
        return []
    found: dict[str, list[tuple[str, str]]] = {}
    num_with_zeros = int(np.count_nonzero(~train.array.all(axis=0)))
    num_columns = train.features.shape[1]
    means_zeros = num_columns >= _MANY_COLUMNS and num_with_zeros >= _NEARLY_ALL * num_columns
    for column in _columns(train, facts):
        if len(column.values) < 2:
            continue
        for fault, detail in _faults(column, dataset, means_zeros):
            found.setdefault(fault, []).append((column.name, detail))
    return [_told(fault, found[fault]) for fault in _REMEDIES if fault in found]


#: What is said of a column (name and detail), and what to do, by fault in order of weight.
_REMEDIES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "leak": (
        "{name} tells the label by itself ({detail})",
        "leave it out through data.features, if it is not known before the label is",
        _FEATURES,
    ),
    "identifier": (
        "{name} looks like a row number ({detail})",
        "leave it out through data.features: it says nothing about new examples",
        _FEATURES,
    ),
    "stand-in": (
        "{name}: {detail}",
        "if that stands for a missing value, it is learned as a number: remove or replace it",
        _SOURCE,
    ),
    "extreme": (
        "{name}: {detail}",
        "a mistake or another unit? mend or remove it: scaling squeezes the rest",
        _SOURCE,
    ),
    "near-constant": (
        "{name} {detail}",
        "so few others teach little; data.features can leave it out",
        _FEATURES,
    ),
}


def _told(fault: str, columns: list[tuple[str, str]]) -> Finding:
    text, remedy, key = _REMEDIES[fault]
    num_whole = _MAX_WHOLE if fault in _OWN_VALUES else 1
    parts = [text.format(name=name, detail=detail) for name, detail in columns[:num_whole]]
    if others := [name for name, _ in columns[num_whole:]]:
        parts.append(f"the same of {listed_and_more(others)}")
    message = "; ".join(parts)
    return Finding("warning", f"{message}; {remedy}", key)


def _columns(train: Split, facts: DataFacts) -> Iterator[_Column]:
    num_columns = train.features.shape[1]
    step = -(-train.num_examples * num_columns // _MAX_SORTED)
    names = facts.feature_names
    for index in range(num_columns):
        whole = train.array[:, index]
        values, counts = np.unique(whole[::step], return_counts=True)
        name = f"feature {index}" if names is None else short(names[index])
        yield _Column(name, values, counts, whole, bool(facts.is_number[index]))


def _faults(column: _Column, dataset: Dataset, means_zeros: bool) -> Iterator[tuple[str, str]]:
    is_only = dataset.splits["train"].features.shape[1] == 1
    is_named = dataset.facts.feature_names is not None
    if not is_only and (leak := _leak(column, dataset)):
        yield "leak", leak
    if is_named and not is_only and (span := _identifier(column, dataset)):
        yield "identifier", span
    if column.all.dtype.kind == "f" and len(column.values) >= _MIN_VALUES:
        if stand_in := _stand_in(column, means_zeros):
            yield "stand-in", stand_in
        elif extreme := _extreme(column):
            yield "extreme", extreme
    if is_named and column.is_number and (share := _near_constant(column)):
        yield "near-constant", share


def _leak(column: _Column, dataset: Dataset) -> str | None:
    """Classes: one value each, no two the same. Targets: the very same numbers."""
    labels = dataset.splits["train"].labels
    if dataset.facts.class_names is None:
        for target in labels.T:
            if np.array_equal(column.all, target):
                return "it is the target"
        return None
    if len(column.values) > dataset.facts.num_outputs:
        return None
    values, codes = np.unique(column.all, return_inverse=True)
    pairs = np.unique(codes.reshape(-1).astype(np.int64) * dataset.facts.num_outputs + labels)
    classes = np.unique(labels)
    if len(values) == len(classes) == len(pairs) > 1:
        return "each class has one value of it, no two the same"
    return None


def _identifier(column: _Column, dataset: Dataset) -> str | None:
    """Integers, all different and as dense as row numbers; mostly different, if it is called so."""
    is_called_so = names_the_row(column.name)
    share = _MOSTLY if is_called_so else 1.0
    if (
        len(column.values) < share * column.counts.sum()
        or (column.all != np.floor(column.all)).any()
    ):
        return None
    values = np.unique(column.all)
    if len(values) < share * len(column.all):
        return None
    span = float(values[-1]) - float(values[0]) + 1
    is_dense = span <= 2 * sum(split.num_examples for split in dataset.splits.values())
    if not (is_dense or is_called_so):
        return None
    differ = "all different" if len(values) == len(column.all) else "hardly one twice"
    return f"integers from {values[0]:g} to {values[-1]:g}, {differ}"


def _stand_in(column: _Column, means_zeros: bool) -> str | None:
    """A repeated 0, −1 or row of nines at one end, or any value far from a compact rest."""
    for end, near, others in ((0, 1, slice(1, None)), (-1, -2, slice(None, -1))):
        value, rest, counts = column.values[end], column.values[others], column.counts[others]
        times = int(column.counts[end])
        if times < 2 or times > counts.sum() or (value == 0 and means_zeros):
            continue
        gap = abs(float(value) - float(column.values[near]))
        spread = float(rest[-1]) - float(rest[0])
        mean = np.average(rest.astype(np.float64), weights=counts)
        deviation = np.sqrt(np.average(np.square(np.subtract(rest, mean)), weights=counts))
        is_code = (
            (value == 0 and gap > deviation)
            or (value == -1 and rest[0] >= 0)
            or (_NINES.fullmatch(f"{abs(value):.0f}") and gap > max(deviation, spread / 2))
            or gap > 2 * spread
        )
        if is_code:
            times = int(np.count_nonzero(column.all == value))
            return f"{times:,} values are {value:g}, the others from {rest[0]:g} to {rest[-1]:g}"
    return None


def _extreme(column: _Column) -> str | None:
    """Few values beyond a gap that is many times the range of all others."""
    # Rows that were not looked at may hold the extreme.
    ends = [column.all.min(), column.all.max()]
    values = np.unique(np.append(column.values, ends)).astype(np.float64)
    after = int(np.diff(values).argmax()) + 1
    gap = values[after] - values[after - 1]
    num_low = int(np.count_nonzero(column.all < values[after]))
    num_few = min(num_low, len(column.all) - num_low)
    is_low = num_few == num_low
    rest, farthest = (values[after:], values[0]) if is_low else (values[:after], values[-1])
    is_compact = len(rest) >= _MIN_VALUES - 1 and gap > _FAR_RANGES * (rest[-1] - rest[0])
    if not is_compact or num_few > max(1, _FEW_SHARE * len(column.all)):
        return None
    far = "1 value is" if num_few == 1 else f"{num_few:,} values go to"
    return f"{far} {farthest:g}, the others from {rest[0]:g} to {rest[-1]:g}"


def _near_constant(column: _Column) -> str | None:
    usual = column.values[column.counts.argmax()]
    num_others = int(np.count_nonzero(column.all != usual))
    if not 0 < num_others <= min(_FEW_OTHERS - 1, _FEW_SHARE * len(column.all)):
        return None
    return f"is {usual:g} in all but {num_others:,} of {len(column.all):,} training examples"
