"""What can be said of labels: how many of each class, or how large the targets are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.checks.finding import Finding
from bmtrain.data.examples.dataset import Split
from bmtrain.data.raw.source import SplitName
from bmtrain.data.wording.quoting import listed_and_more, short

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
# Mean weights from a tenth to this are of the size that learning rates are meant for.
_FAR_MEAN = 10
_MAX_SHOWN = 5
_SOURCE = ("data", "source")


def class_findings(
    splits: Mapping[SplitName, Split], names: tuple[str, ...], *, is_weighted: bool = False
) -> list[Finding]:
    """How even the classes are, those with few training examples, those that a split lacks."""
    train = splits["train"]
    counts = np.bincount(train.labels, minlength=len(names))
    findings = [_balance(counts, names, is_weighted)]
    absent = [short(names[index]) for index in np.flatnonzero(counts == 0)]
    if absent:
        message = f"no training example of class {listed_and_more(absent)}"
        findings.append(Finding("warning", f"{message}; it will never be predicted", _SOURCE))
    few = np.flatnonzero((counts > 0) & (counts < _FEW_EXAMPLES))
    if few.size:
        shown = [f"{short(names[index])} ({counts[index]})" for index in few]
        message = f"fewer than {_FEW_EXAMPLES} training examples of class {listed_and_more(shown)}"
        message += "; gather more, or join it to another class"
        findings.append(Finding("warning", message, _SOURCE))
    for name, split in splits.items():
        held = np.bincount(split.labels, minlength=len(names))
        missing = [short(names[index]) for index in np.flatnonzero((held == 0) & (counts > 0))]
        if missing:
            message = f"no {name} example of class {listed_and_more(missing)}"
            message += f"; the figures of {name} say nothing about it"
            findings.append(Finding("warning", message, _SOURCE))
    return findings


def _balance(counts: NDArray[np.int64], names: tuple[str, ...], is_weighted: bool) -> Finding:
    shares = counts / counts.sum()
    least, most = int(counts.argmin()), int(counts.argmax())
    if counts[least] == counts[most]:
        each = f"evenly {shares[most]:.1%} of the training examples each"
        return Finding("ok", f"{len(names)} classes, {each}")
    message = (
        f"{len(names)} classes, from {shares[least]:.1%} ({short(names[least])}) "
        f"to {shares[most]:.1%} ({short(names[most])}) of the training examples"
    )
    if counts[most] <= _IMBALANCE * counts[least]:
        return Finding("ok", message)
    remedy = "accuracy hides how the rare ones do: look at eval's figures per class"
    if is_weighted:
        return Finding("ok", f"{message}; {remedy}")
    remedy += "; training.class_weight: balanced lets each class count the same"
    return Finding("warning", f"{message}; {remedy}", _SOURCE)


def weight_finding(weights: NDArray[np.float32]) -> Finding:
    """Range and mean of what the training examples count; a mean far from 1 scales every step."""
    mean = float(weights.mean(dtype=np.float64))
    message = f"weights: {weights.min():.4g} to {weights.max():.4g}, mean {mean:.4g}"
    if num_zeros := int(np.count_nonzero(weights == 0)):
        message += "; 1 is 0" if num_zeros == 1 else f"; {num_zeros:,} are 0"
    if 1 / _FAR_MEAN <= mean <= _FAR_MEAN:
        return Finding("ok", message)
    message += (
        f": loss and gradients are {mean:.3g} times as large as without; weights of mean 1 leave "
        "optimizer.learning_rate and regularization.l2_lambda what they are"
    )
    return Finding("warning", message, ("data", "sample_weight"))


def target_findings(train: Split) -> list[Finding]:
    """Range, mean and s.d. of each target, and those whose scale does not suit a network."""
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
