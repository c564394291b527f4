"""Examples that are there twice: within a split, and in two of them.

Rows are told apart by a 128-bit hash of their features: for 10⁹ rows the chance that any
two different ones pass for equal is under 10⁻²⁰. The hash is taken a block of rows at a
time, and one sort finds all that are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.checks.finding import Finding, Level, examples
from bmtrain.data.examples.dataset import DataFacts, Dataset, Split
from bmtrain.data.raw.source import SplitName
from bmtrain.data.raw.streamed_rows import Features, evenly_spaced, row_blocks
from bmtrain.data.wording.quoting import short, short_path

_BLOCK_BYTES = 1 << 23
_WORD_BYTES = 8
_MIXER = np.uint64(0x9E3779B97F4A7C15)
# More repeats than this, of the examples of a split, deserve a word.
_MANY_REPEATS = 0.05
# Where fewer different rows than this, per example, are possible at all, equal ones are no wonder.
_COMBINATIONS_PER_EXAMPLE = 100
# A smaller share of examples that cannot all be told right is not worth a warning.
_CONTRADICTIONS = 0.01
_MAX_VALUES_SHOWN = 4

Groups = NDArray[np.int64]


def row_findings(dataset: Dataset) -> list[Finding]:
    """Repeated examples, equal ones of different classes, and examples that two splits share."""
    groups = equal_rows(dataset.splits)
    has_wonder = _Wonder(dataset.splits["train"])
    findings = []
    for name, split in dataset.splits.items():
        repeats = _repeats(name, split, groups[name], dataset.facts, has_wonder)
        findings += [] if repeats is None else [repeats]
        if repeats is not None and name == "train" and dataset.facts.class_names is not None:
            findings += _contradictions(split, groups[name], dataset.facts.num_outputs)
    for first, second in combinations(dataset.splits, 2):
        findings.append(_overlap(dataset, groups, (first, second), has_wonder))
    return findings


def equal_rows(splits: Mapping[SplitName, Split]) -> dict[SplitName, Groups]:
    """Per split a number for each example; equal ones, in whatever split, have the same."""
    hashes = np.concatenate([row_hashes(split.features) for split in splits.values()])
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))
    in_order = hashes[order]
    is_new = (in_order[1:] != in_order[:-1]).any(axis=1)
    groups = np.empty(len(hashes), np.int64)
    groups[order] = np.concatenate([[0], np.cumsum(is_new)])
    stops = np.cumsum([split.num_examples for split in splits.values()])
    return dict(zip(splits, np.split(groups, stops[:-1]), strict=True))


def row_hashes(features: Features) -> NDArray[np.uint64]:
    """Two 64-bit hashes of each example's bytes, (examples, 2); 0.0 and −0.0 are the same.

    Σ mix(wordᵢ)·rᵢ modulo 2⁶⁴ with fixed random odd rᵢ: equal data, equal findings.
    """
    width = prod(features.shape[1:]) * features.dtype.itemsize
    num_words = -(-width // _WORD_BYTES)
    numbers = np.random.default_rng(0)
    factors = numbers.integers(0, 2**64 - 1, (num_words, 2), np.uint64) | np.uint64(1)
    hashes = np.empty((len(features), 2), np.uint64)
    num_rows = max(1, _BLOCK_BYTES // (num_words * _WORD_BYTES))
    for start, examples_of_block in row_blocks(features, num_rows):
        block = examples_of_block.reshape(len(examples_of_block), -1)
        if block.dtype.kind == "f":
            block = np.add(block, block.dtype.type(0))  # −0.0 + 0.0 is 0.0
        padded = np.zeros((len(block), num_words * _WORD_BYTES), np.uint8)
        padded[:, :width] = np.ascontiguousarray(block).view(np.uint8)
        words = padded.view(np.uint64)
        words ^= words >> np.uint64(32)
        words *= _MIXER
        words ^= words >> np.uint64(29)
        hashes[start : start + num_rows] = words @ factors
    return hashes


class _Wonder:
    """Whether equal rows are a wonder: there are far more possible ones than examples."""

    def __init__(self, train: Split) -> None:
        self._features = evenly_spaced(train.features)
        self._answer: bool | None = None

    def __call__(self) -> bool:
        if self._answer is None:
            self._answer = self._features.ndim != 2 or self._has_many_combinations()
        return self._answer

    def _has_many_combinations(self) -> bool:
        features = self._features
        wanted = _COMBINATIONS_PER_EXAMPLE * len(features)
        possible = 1
        for column in range(features.shape[1]):
            num_values = len(np.unique(features[:, column]))
            possible *= num_values
            # A column whose values are mostly different is measured, not counted.
            if possible > wanted or 2 * num_values > len(features):
                return True
        return False


def _repeats(
    name: SplitName, split: Split, groups: Groups, facts: DataFacts, has_wonder: _Wonder
) -> Finding | None:
    first = _first_rows(groups)
    again = np.flatnonzero(first[groups] != np.arange(len(groups)))
    if not again.size:
        return None
    row = int(again[0])
    message = (
        f"{name}: {examples(again.size)} {'repeats' if again.size == 1 else 'repeat'} "
        f"another one exactly; {_named(split, row)} is {_named(split, int(first[groups[row]]))} "
        f"again{_shown(split, row, facts)}"
    )
    if again.size <= _MANY_REPEATS * len(groups):
        return Finding("ok", message)
    if not has_wonder():
        return Finding("ok", f"{message}; features of so few values must")
    remedy = "remove them, unless each was really observed: they weigh more than the others"
    return Finding("warning", f"{message}; {remedy}", ("data", "source"))


def _contradictions(train: Split, groups: Groups, num_classes: int) -> list[Finding]:
    """The best that any model can do: in each group of equal examples, the most frequent class."""
    pairs, counts = np.unique(groups * num_classes + train.labels, return_counts=True)
    starts = np.flatnonzero(np.diff(pairs // num_classes, prepend=-1))
    num_right = int(np.maximum.reduceat(counts, starts).sum())
    num_wrong = len(groups) - num_right
    if not num_wrong:
        return []
    level: Level = "warning" if num_wrong > _CONTRADICTIONS * len(groups) else "ok"
    message = (
        f"train: equal examples of different classes; at most {num_right / len(groups):.2%} of the "
        f"examples can be told right, {num_wrong:,} cannot"
    )
    if level == "warning":
        message += ": more features, or labels put right, would help; more training will not"
    return [Finding(level, message, ("data", "source"))]


def _overlap(
    dataset: Dataset,
    groups: Mapping[SplitName, Groups],
    names: tuple[SplitName, SplitName],
    has_wonder: _Wonder,
) -> Finding:
    first, second = names
    known = _first_rows(groups[first], num_groups=1 + max(int(g.max()) for g in groups.values()))
    shared = np.flatnonzero(known[groups[second]] >= 0)
    if not shared.size:
        return Finding("ok", f"{first} and {second} share no example")
    row = int(shared[0])
    there = int(known[groups[second][row]])
    message = (
        f"{shared.size:,} of the {len(groups[second]):,} {second} examples "
        f"{'is' if shared.size == 1 else 'are'} in {first} too; "
        f"{_named(dataset.splits[second], row)} of {second} is "
        f"{_named(dataset.splits[first], there)} of {first}"
        f"{_shown(dataset.splits[second], row, dataset.facts)}"
    )
    if not has_wonder():
        return Finding("ok", f"{message}; features of so few values must")
    remedy = f"remove them from one of the two: the figures of {second} flatter the model"
    return Finding("warning", f"{message}; {remedy}", ("data", "source"))


def _first_rows(groups: Groups, num_groups: int | None = None) -> Groups:
    """The first example of each group, −1 where there is none."""
    first = np.full(int(groups.max()) + 1 if num_groups is None else num_groups, -1, np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    return first


def _named(split: Split, row: int) -> str:
    """``index 7``, or the file of a picture."""
    return f"index {row}" if split.files is None else short_path(split.files[row])


def _shown(split: Split, row: int, facts: DataFacts) -> str:
    """`` (a 1, b 2, …)``: a table's row can be found in its file by its values."""
    if facts.feature_names is None:
        return ""
    values = split.features[row].tolist()
    shown = [
        f"{short(name)} {value:g}" if is_number else short(name)
        for name, value, is_number in zip(facts.feature_names, values, facts.is_number, strict=True)
        if is_number or value
    ]
    more = ", …" if len(shown) > _MAX_VALUES_SHOWN else ""
    return f" ({', '.join(shown[:_MAX_VALUES_SHOWN])}{more})"
