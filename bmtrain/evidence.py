"""What a difference between models is worth: paired tests on one test set, tests across seeds.

NumPy alone: of SciPy three functions would be used, and it takes a third of a second to
import. Two-sided throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

#: Of the bootstrap; of larger sets fewer are drawn, or it would take minutes.
RESAMPLES = 10_000
_MIN_RESAMPLES = 1_000
_MAX_DRAWS = 100_000_000
_DRAWS_PER_BLOCK = 100_000
#: Outcomes of few kinds (right or wrong, in both) are counted, not drawn one by one.
_MAX_KINDS = 64
#: Of the standard normal distribution, that 5 % exceed in size.
_NORMAL_QUANTILE = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval of a difference, and from how many resamples (0: from a formula)."""

    low: float
    high: float
    resamples: int = 0

    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Welch:
    """Welch's t-test: second − first, its 95 % interval, t, degrees of freedom and p."""

    difference: float
    interval: Interval
    t: float
    degrees: float
    p: float


def mcnemar_p(only_first: int, only_second: int) -> float:
    """McNemar's exact test: p = min(1, 2·P(X ≤ min)), X ~ Binomial(discordant pairs, ½).

    Args:
        only_first: examples that the first model alone has right.
        only_second: those that the second alone has right.
    """
    pairs, fewer = only_first + only_second, min(only_first, only_second)
    k = np.arange(1, fewer + 1, dtype=np.float64)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log(pairs - k + 1) - np.log(k))])
    return min(1.0, 2 * float(np.exp(log_choose - pairs * math.log(2)).sum()))


def wilson_interval(successes: int, trials: int) -> Interval:
    """The 95 % interval of a share by Wilson's score (1927), which stays within 0 and 1.

    Of no trials nothing is known: 0 to 1.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    share, part = successes / trials, _NORMAL_QUANTILE**2 / trials
    middle = (share + part / 2) / (1 + part)
    reach = math.sqrt(part * share * (1 - share) + part**2 / 4) / (1 + part)
    return Interval(max(0.0, middle - reach), min(1.0, middle + reach))


def bootstrap_interval(
    first: Values,
    second: Values,
    finish: Callable[[Values], Values] = lambda means: means,
    *,
    seed: int = 0,
) -> Interval:
    """The percentile bootstrap's interval of finish(mean second) − finish(mean first).

    Whole pairs are drawn, n of n with replacement (Efron & Tibshirani 1993, chapter 13).

    Args:
        first: (n,) a value per example of the first model.
        second: (n,) of the second, in the same order.
        finish: from means to figures: the square root for a root mean squared error.
    """
    num_examples = len(first)
    resamples = max(_MIN_RESAMPLES, min(RESAMPLES, _MAX_DRAWS // num_examples))
    random = np.random.default_rng(seed)
    kinds, counts = _kinds(np.stack([first, second]))
    if kinds.shape[1] <= _MAX_KINDS:
        drawn = random.multinomial(num_examples, counts / num_examples, size=resamples)
        means = drawn @ kinds.T / num_examples
    else:
        means = _resampled_means(first, second, resamples, random)
    differences = finish(means[:, 1]) - finish(means[:, 0])
    low, high = np.quantile(differences, [0.025, 0.975])
    return Interval(float(low), float(high), resamples)


def _kinds(pairs: Values) -> tuple[Values, NDArray[np.int64]]:
    """(2, kinds) and how often each is; of the first pairs alone where these are many already."""
    begin = pairs[:, : 16 * _MAX_KINDS]
    kinds, counts = np.unique(begin, axis=1, return_counts=True)
    if kinds.shape[1] > _MAX_KINDS or begin.shape == pairs.shape:
        return kinds, counts
    return np.unique(pairs, axis=1, return_counts=True)


def _resampled_means(
    first: Values, second: Values, resamples: int, random: np.random.Generator
) -> Values:
    """(resamples, 2), in blocks that fit the processor's cache."""
    num_examples = len(first)
    means = np.empty((resamples, 2))
    block = max(1, _DRAWS_PER_BLOCK // num_examples)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = random.integers(0, num_examples, (size, num_examples), dtype=np.int32)
        for column, values in enumerate((first, second)):
            means[start : start + size, column] = values.take(drawn).mean(axis=1)
    return means


def paired_t_p(differences: Values) -> float:
    """The paired t-test of n ≥ 1 differences: t = mean/(s.d./√n), n − 1 degrees of freedom.

    Without any spread p is 1 where all are zero, else 0; of one difference nothing follows: 1.
    """
    size = len(differences)
    if size < 2 or not differences.any():
        return 1.0
    error = float(differences.std(ddof=1)) / math.sqrt(size)
    return t_p(float(differences.mean()) / error, size - 1) if error else 0.0


def welch(first: Sequence[float], second: Sequence[float]) -> Welch | None:
    """Welch's t-test of two samples of at least two values each; None where neither spreads.

    Degrees of freedom by Welch and Satterthwaite; variances may differ.
    """
    samples = np.asarray(first, np.float64), np.asarray(second, np.float64)
    parts = [float(sample.var(ddof=1)) / len(sample) for sample in samples]
    if sum(parts) <= 0:
        return None
    error = math.sqrt(sum(parts))
    pooled = sum(part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True))
    degrees = sum(parts) ** 2 / pooled
    difference = float(samples[1].mean() - samples[0].mean())
    reach = t_quantile(degrees) * error
    interval = Interval(difference - reach, difference + reach)
    t = difference / error
    return Welch(difference, interval, t, degrees, t_p(t, degrees))


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p adjusted for all of them together (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def t_p(t: float, degrees: float) -> float:
    """P(|T| ≥ |t|) of Student's t: I(ν/(ν + t²); ν/2, ½) = 1 − I(t²/(ν + t²); ½, ν/2)."""
    inside = t * t / (degrees + t * t)
    if inside < 1.5 / (degrees / 2 + 2.5):  # each fraction converges fast on its own side
        return 1 - _incomplete_beta(inside, 0.5, degrees / 2)
    return _incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def t_quantile(degrees: float, p: float = 0.05) -> float:
    """The t that is exceeded in size with the probability p."""
    low, high = 0.0, 1.0
    while t_p(high, degrees) > p:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if t_p(middle, degrees) > p else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I(x; a, b), x ≤ (a + 1)/(a + b + 2)."""
    if x <= 0:
        return 0.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Its continued fraction by Lentz's method (Numerical Recipes, section 6.4)."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def is_finite(values: NDArray[Any]) -> bool:
    """Whether every value is a number."""
    return bool(np.isfinite(values).all())
