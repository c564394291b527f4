"""Statistics against SciPy, and against loops that are plainly right."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bmtrain.evidence import (
    RESAMPLES,
    bootstrap_interval,
    holm,
    mcnemar_p,
    paired_t_p,
    t_p,
    t_quantile,
    welch,
    wilson_interval,
)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_mcnemars_test_is_the_exact_binomial_test_of_discordant_pairs(only_first, only_second):
    pairs = only_first + only_second
    wanted = stats.binomtest(only_first, pairs, 0.5).pvalue if pairs else 1.0
    assert mcnemar_p(only_first, only_second) == pytest.approx(wanted, rel=1e-9, abs=1e-250)


@given(st.floats(-60, 60), st.floats(1, 100_000))
def test_the_tails_of_students_t_are_scipys(t, degrees):
    wanted = 2 * stats.t.sf(abs(t), degrees)
    assert t_p(t, degrees) == pytest.approx(wanted, rel=1e-8, abs=1e-250)


@pytest.mark.parametrize("degrees", [1.0, 2.0, 3.7, 10.0, 250.0, 1e6])
def test_the_quantile_leaves_five_percent_outside(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_the_paired_t_test_is_scipys(random):
    first, second = random.normal(size=40), random.normal(0.3, size=40)
    wanted = stats.ttest_rel(second, first).pvalue
    assert paired_t_p(second - first) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(
    ("differences", "p"), [([0.0, 0.0, 0.0], 1.0), ([0.5, 0.5, 0.5], 0.0), ([3.0], 1.0)]
)
def test_differences_without_spread_divide_nothing_by_zero(differences, p):
    assert paired_t_p(np.array(differences)) == p


def test_welchs_test_and_its_interval_are_scipys(random):
    first, second = random.normal(size=4), random.normal(1, 3, size=7)
    ours = welch(first, second)
    assert ours is not None
    theirs = stats.ttest_ind(second, first, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert (ours.t, ours.p, ours.degrees) == pytest.approx(
        (theirs.statistic, theirs.pvalue, theirs.df), rel=1e-9
    )
    assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(interval), rel=1e-9)


def test_samples_of_which_neither_spreads_are_not_tested():
    assert welch([1.0, 1.0, 1.0], [2.0, 2.0, 2.0]) is None


def test_holms_correction_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]


def looped(first, second, finish=lambda mean: mean, resamples=4000):
    """The bootstrap as it is told: draw pairs, take the figures' difference, look at the ends."""
    random = np.random.default_rng(99)
    found = []
    for _ in range(resamples):
        rows = random.integers(0, len(first), len(first))
        found.append(finish(second[rows].mean()) - finish(first[rows].mean()))
    return np.quantile(found, [0.025, 0.975])


def near(interval, wanted):
    width = wanted[1] - wanted[0]
    return (interval.low, interval.high) == pytest.approx(tuple(wanted), abs=0.06 * width)


def test_the_bootstrap_of_right_and_wrong_is_that_of_a_loop(random):
    first = (random.random(500) < 0.80).astype(float)
    second = np.where(random.random(500) < 0.9, first, 1.0)
    assert near(bootstrap_interval(first, second), looped(first, second))


@pytest.mark.parametrize(
    ("finish", "vectorised"), [(lambda m: m, lambda m: m), (math.sqrt, np.sqrt)]
)
def test_the_bootstrap_of_errors_is_that_of_a_loop(random, finish, vectorised):
    first = random.gamma(2, size=300)
    second = first * random.uniform(0.5, 1.3, size=300)
    ours = bootstrap_interval(first, second, vectorised)
    assert near(ours, looped(first, second, finish))
    assert ours.resamples == RESAMPLES


def test_pairs_are_drawn_whole_so_that_what_is_common_to_both_cancels(random):
    first = random.normal(0, 100, size=200)
    interval = bootstrap_interval(first, first + 1)
    assert (interval.low, interval.high) == pytest.approx((1, 1))


def test_few_kinds_at_the_beginning_are_not_taken_for_few_kinds(random):
    first = np.concatenate([np.zeros(3000), random.normal(5, 1, size=3000)])
    interval = bootstrap_interval(np.zeros(6000), first)
    assert near(interval, looped(np.zeros(6000), first, resamples=1500))


def test_one_seed_draws_one_interval(random):
    first, second = random.normal(size=100), random.normal(size=100)
    assert bootstrap_interval(first, second) == bootstrap_interval(first, second)
    assert bootstrap_interval(first, second) != bootstrap_interval(first, second, seed=1)


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (7, 7), (3, 10), (194, 200), (1, 100_000)])
def test_a_shares_interval_is_scipys_by_wilson(hits, trials):
    ends = stats.binomtest(hits, trials).proportion_ci(method="wilson")
    found = wilson_interval(hits, trials)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-12)


def test_of_no_trials_nothing_is_known():
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0, 1)
