"""What can be said about a data set before anything is trained on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.dataset import DataFacts, Dataset, Split, SplitName

# Fewer examples of a class than this teach a model little.
_FEW_EXAMPLES = 10
# The most frequent class over the least frequent one; more deserves a word.
_IMBALANCE = 10
_MAX_SHOWN = 5
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; ``error`` would stop a run, ``warning`` deserves a look."""

    level: Literal["ok", "warning", "error"]
    message: str


def inspect_dataset(dataset: Dataset) -> list[Finding]:
    """Rows, classes or targets, values, and examples that are in more than one split."""
    findings = [_rows(name, split, dataset.facts) for name, split in dataset.splits.items()]
    if "test" not in dataset.splits:
        findings.append(
            Finding(
                "warning", "no test split: nothing will tell how the model does on new examples"
            )
        )
    train = dataset.splits["train"]
    if dataset.facts.class_names is not None:
        findings += _classes(train, dataset.facts.class_names)
    else:
        findings += _targets(train)
    findings.append(_values(dataset))
    findings.append(_constant_features(train, dataset.facts))
    findings += _duplicates(dataset)
    return findings


def _rows(name: SplitName, split: Split, facts: DataFacts) -> Finding:
    shape = " × ".join(str(size) for size in facts.input_shape)
    shape += " features" if len(facts.input_shape) == 1 else ""
    count = _examples(split.num_examples)
    return Finding("ok", f"{name}: {count}, {shape}, {facts.input_dtype}")


def _classes(train: Split, names: tuple[str, ...]) -> list[Finding]:
    counts = np.bincount(train.labels, minlength=len(names))
    shares = counts / train.num_examples
    least, most = int(counts.argmin()), int(counts.argmax())
    balance = (
        f"{len(names)} classes, from {shares[least]:.1%} ({names[least]}) "
        f"to {shares[most]:.1%} ({names[most]}) of the training examples"
    )
    is_unbalanced = counts[most] > _IMBALANCE * counts[least]
    findings = [Finding("warning" if is_unbalanced else "ok", balance)]
    absent = [names[index] for index in np.flatnonzero(counts == 0)]
    if absent:
        findings.append(Finding("warning", f"no training example of class {_listed(absent)}"))
    few = np.flatnonzero((counts > 0) & (counts < _FEW_EXAMPLES))
    if few.size:
        shown = [f"{names[index]} ({counts[index]})" for index in few]
        message = f"fewer than {_FEW_EXAMPLES} training examples of class {_listed(shown)}"
        findings.append(Finding("warning", message))
    return findings


def _targets(train: Split) -> list[Finding]:
    findings = []
    for column in range(train.labels.shape[1]):
        values = train.labels[:, column].astype(np.float64)
        name = "targets" if train.labels.shape[1] == 1 else f"targets[{column}]"
        spread = f"{values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}"
        if values.min() == values.max():
            findings.append(Finding("warning", f"{name}: all are {values[0]:.4g}"))
        elif column < _MAX_SHOWN:
            findings.append(Finding("ok", f"{name}: {spread}, s.d. {values.std():.4g}"))
    return findings


def _values(dataset: Dataset) -> Finding:
    for name, split in dataset.splits.items():
        is_finite = np.isfinite(split.features).reshape(split.num_examples, -1).all(axis=1)
        if not is_finite.all():
            count = int(np.count_nonzero(~is_finite))
            return Finding("error", f"{name}: {_examples(count)} with NaN or infinity")
    return Finding("ok", "all values are finite")


def _constant_features(train: Split, facts: DataFacts) -> Finding:
    values = train.features.reshape(train.num_examples, -1)
    constant = np.flatnonzero((values == values[0]).all(axis=0))
    if not constant.size:
        return Finding("ok", "no feature is constant")
    message = f"{constant.size:,} of {values.shape[1]:,} features are constant in train"
    if facts.feature_names is not None:
        message += f": {_listed([facts.feature_names[index] for index in constant])}"
        return Finding("warning", message)
    # The rim of a picture is often constant; a whole picture is a mistake.
    return Finding("warning" if constant.size == values.shape[1] else "ok", message)


def _duplicates(dataset: Dataset) -> list[Finding]:
    digests = {name: _row_digests(split.features) for name, split in dataset.splits.items()}
    findings = []
    train = set(digests["train"])
    num_repeated = len(digests["train"]) - len(train)
    if num_repeated:
        message = f"train: {_examples(num_repeated)} repeat another one exactly"
        findings.append(Finding("ok", message))
    names: list[SplitName] = list(dataset.splits)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            seen = set(digests[first])
            count = sum(digest in seen for digest in digests[second])
            if count:
                message = (
                    f"{count:,} of the {len(digests[second]):,} {second} examples are in {first}"
                )
                findings.append(Finding("warning", f"{message} too"))
            else:
                findings.append(Finding("ok", f"{first} and {second} share no example"))
    return findings


def _row_digests(features: NDArray[np.generic]) -> list[bytes]:
    rows = features.reshape(len(features), -1).view(np.uint8)
    return [hashlib.blake2b(row.data, digest_size=_DIGEST_BYTES).digest() for row in rows]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_SHOWN:,} more" if len(names) > _MAX_SHOWN else ""
    return ", ".join(names[:_MAX_SHOWN]) + more


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count:,} examples"
