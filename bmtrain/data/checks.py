"""What can be said about a data set before anything is trained on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.dataset import DataFacts, Dataset, Split, SplitName
from bmtrain.data.quoting import listed_and_more, short

# Fewer examples of a class than this teach a model little.
_FEW_EXAMPLES = 10
# The most frequent class over the least frequent one; more deserves a word.
_IMBALANCE = 10
# Adam moves a weight by the learning rate in a step, however large the loss: at 0.001 the
# output's bias comes from 0 to 100 in 100,000 steps, more than most trainings have. Under
# plain gradient descent the first gradients are as large, and hidden layers often diverge.
_LARGE_TARGET = 100
# The first outputs of a network differ by about 1 from example to example: 100 times what
# tells these targets apart, and a squared error of 0.0001 looks like success.
_SMALL_DEVIATION = 0.01
_MAX_SHOWN = 5
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; ``error`` would stop a run, ``warning`` deserves a look."""

    level: Literal["ok", "warning", "error"]
    message: str


def inspect_dataset(dataset: Dataset) -> list[Finding]:
    """All there is to say: what is quick to find, then what is not."""
    return [*quick_findings(dataset), *thorough_findings(dataset)]


def quick_findings(dataset: Dataset) -> list[Finding]:
    """Sizes, a missing test split, classes or targets: only labels are read.

    0.1 ms for MNIST; of 60,000 examples a millisecond for each target.
    """
    findings = [_rows(name, split, dataset.facts) for name, split in dataset.splits.items()]
    if "test" not in dataset.splits:
        findings.append(
            Finding(
                "warning", "no test split: nothing will tell how the model does on new examples"
            )
        )
    train = dataset.splits["train"]
    if dataset.facts.class_names is not None:
        return findings + _classes(train, dataset.facts.class_names)
    return findings + _targets(train)


def thorough_findings(dataset: Dataset) -> list[Finding]:
    """Values that are not finite, constant features, repeated and shared examples.

    Every value is read, and every example hashed: 0.3 s for MNIST.
    """
    return [
        _values(dataset),
        _constant_features(dataset.splits["train"], dataset.facts),
        *_duplicates(dataset),
    ]


def _rows(name: SplitName, split: Split, facts: DataFacts) -> Finding:
    shape = " × ".join(str(size) for size in facts.input_shape)
    if len(facts.input_shape) == 1:
        shape += " feature" if facts.input_shape == (1,) else " features"
    count = _examples(split.num_examples)
    return Finding("ok", f"{name}: {count}, {shape}, {facts.input_dtype}")


def _classes(train: Split, names: tuple[str, ...]) -> list[Finding]:
    counts = np.bincount(train.labels, minlength=len(names))
    shares = counts / train.num_examples
    least, most = int(counts.argmin()), int(counts.argmax())
    if counts[least] == counts[most]:
        balance = f"evenly {shares[most]:.1%} of the training examples each"
    else:
        balance = (
            f"from {shares[least]:.1%} ({short(names[least])}) "
            f"to {shares[most]:.1%} ({short(names[most])}) of the training examples"
        )
    is_unbalanced = counts[most] > _IMBALANCE * counts[least]
    level: Literal["warning", "ok"] = "warning" if is_unbalanced else "ok"
    findings = [Finding(level, f"{len(names)} classes, {balance}")]
    absent = [short(names[index]) for index in np.flatnonzero(counts == 0)]
    if absent:
        message = f"no training example of class {listed_and_more(absent)}"
        findings.append(Finding("warning", message))
    few = np.flatnonzero((counts > 0) & (counts < _FEW_EXAMPLES))
    if few.size:
        shown = [f"{short(names[index])} ({counts[index]})" for index in few]
        message = f"fewer than {_FEW_EXAMPLES} training examples of class {listed_and_more(shown)}"
        findings.append(Finding("warning", message))
    return findings


def _targets(train: Split) -> list[Finding]:
    findings = []
    more_constant = []
    unfit: dict[str, list[tuple[str, _Scale]]] = {}
    for column in range(train.labels.shape[1]):
        values = train.labels[:, column].astype(np.float64)
        name = "targets" if train.labels.shape[1] == 1 else f"targets[{column}]"
        if values.min() == values.max():
            if column < _MAX_SHOWN:
                findings.append(Finding("warning", f"{name}: all are {values[0]:.4g}"))
            else:
                more_constant.append(name)
            continue
        scale = _Scale(float(values.mean()), float(values.std()))
        if column < _MAX_SHOWN:
            spread = f"{values.min():.4g} to {values.max():.4g}"
            message = f"{name}: {spread}, mean {scale.mean:.4g}, s.d. {scale.deviation:.4g}"
            findings.append(Finding("ok", message))
        if scale.fault is not None:
            unfit.setdefault(scale.fault, []).append((name, scale))
    if more_constant:
        message = f"constant in train, too: {listed_and_more(more_constant)}"
        findings.append(Finding("warning", message))
    for fault, columns in unfit.items():
        name, scale = columns[0]
        others = f" and {len(columns) - 1:,} more" if len(columns) > 1 else ""
        findings.append(Finding("warning", f"{name}{others} {fault}: {scale.remedy()}"))
    return findings


@dataclass(frozen=True, slots=True)
class _Scale:
    """Mean and s.d. of one column of targets, and what they mean for a training."""

    mean: float
    deviation: float

    @property
    def fault(self) -> Literal["are large", "hardly differ"] | None:
        if max(abs(self.mean), self.deviation) > _LARGE_TARGET:
            return "are large"
        return "hardly differ" if self.deviation < _SMALL_DEVIATION else None

    def remedy(self) -> str:
        """The figures, and how to bring them near mean 0 and s.d. 1, in powers of ten."""
        steps = []
        largest = max(abs(self.mean), self.deviation)
        if abs(self.mean) > 10 * self.deviation:
            # Dividing alone would make of a large mean a small s.d.
            steps.append(f"subtract about {float(f'{self.mean:.2g}'):g} from them")
            largest = self.deviation
        if largest > _LARGE_TARGET:
            steps.append(f"divide them by about {10.0 ** round(np.log10(largest)):g}")
        elif self.deviation < _SMALL_DEVIATION:
            steps.append(f"multiply them by about {10.0 ** -round(np.log10(self.deviation)):g}")
        figures = f"mean {self.mean:.3g}, s.d. {self.deviation:.3g}"
        if self.fault == "are large":
            why, otherwise = "a network starts near 0", ", or raise optimizer.learning_rate"
        else:
            why, otherwise = "a new network's outputs differ by about 1", ""
        return f"{figures}; {why}: {' and '.join(steps)}{otherwise}"


def _values(dataset: Dataset) -> Finding:
    for name, split in dataset.splits.items():
        if split.features.dtype.kind != "f":
            continue  # integers are finite
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
    are = "is" if constant.size == 1 else "are"
    message = f"{constant.size:,} of {values.shape[1]:,} features {are} constant in train"
    if facts.feature_names is not None:
        names = [short(facts.feature_names[index]) for index in constant]
        message += f": {listed_and_more(names)}"
        return Finding("warning", message)
    # The rim of a picture is often constant; a whole picture is a mistake.
    return Finding("warning" if constant.size == values.shape[1] else "ok", message)


def _duplicates(dataset: Dataset) -> list[Finding]:
    digests = {name: _row_digests(split.features) for name, split in dataset.splits.items()}
    findings = []
    train = set(digests["train"])
    num_repeated = len(digests["train"]) - len(train)
    if num_repeated:
        repeat = "repeats" if num_repeated == 1 else "repeat"
        message = f"train: {_examples(num_repeated)} {repeat} another one exactly"
        findings.append(Finding("ok", message))
    names: list[SplitName] = list(dataset.splits)
    for position, first in enumerate(names):
        for second in names[position + 1 :]:
            seen = set(digests[first])
            count = sum(digest in seen for digest in digests[second])
            if count:
                message = f"{count:,} of the {len(digests[second]):,} {second} examples"
                are = "is" if count == 1 else "are"
                findings.append(Finding("warning", f"{message} {are} in {first} too"))
            else:
                findings.append(Finding("ok", f"{first} and {second} share no example"))
    return findings


def _row_digests(features: NDArray[np.generic]) -> list[bytes]:
    rows = features.reshape(len(features), -1).view(np.uint8)
    return [hashlib.blake2b(row.data, digest_size=_DIGEST_BYTES).digest() for row in rows]


def _examples(count: int) -> str:
    return "1 example" if count == 1 else f"{count:,} examples"
