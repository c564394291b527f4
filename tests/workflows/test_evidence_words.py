"""When a difference is called one, and in which words."""

import pytest

from bmtrain.evidence import Interval
from bmtrain.workflows.comparison.evidence import Evidence, corrected, judged


def evidence(p=0.01, low=0.002, high=0.006, figure="test.accuracy", **changes):
    facts = {
        "kind": "models",
        "first": "A",
        "second": "B",
        "figure": figure,
        "test": "McNemar's exact test",
        "difference": (low + high) / 2,
        "interval": Interval(low, high, 10_000),
        "p": p,
        "p_adjusted": None,
        "verdict": "no evidence",
    }
    return Evidence(**{**facts, **changes})


@pytest.mark.parametrize(
    ("p", "low", "high", "verdict"),
    [
        (0.049, 0.001, 0.003, "better"),
        (0.051, 0.001, 0.003, "no evidence"),
        (0.049, -0.001, 0.003, "no evidence"),
        (0.049, -0.003, -0.001, "worse"),
    ],
)
def test_both_test_and_interval_must_say_so(p, low, high, verdict):
    assert judged(evidence(p, low, high)).verdict == verdict


def test_a_smaller_loss_is_better():
    assert judged(evidence(0.01, -0.2, -0.1, figure="test.loss")).verdict == "better"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (evidence(0.003), ("B is better than A on this test set: accuracy +0.40 points, 95 % interval "
                          "0.20 to 0.60 (McNemar's exact test, p = 0.003)")),
        (evidence(0.0001, -0.006, -0.002), ("A is better than B on this test set: accuracy +0.40 "
         "points, 95 % interval 0.20 to 0.60 (McNemar's exact test, p < 0.001)")),
        (evidence(0.6, -0.006, 0.01), ("no evidence of a difference on this test set: B against A, "
         "accuracy +0.20 points, 95 % interval -0.60 to 1.00 (McNemar's exact test, p = 0.60)")),
        (evidence(0.01, -0.25, -0.15, "test.loss", kind="seeds", second="B, C, D", test="Welch"),
         ("B, C, D are better than A across seeds: loss -0.200, 95 % interval -0.250 to -0.150 "
         "(Welch, p = 0.010)")),
    ],
)  # fmt: skip
def test_the_words(entry, text):
    assert judged(entry).text() == text


def test_a_p_that_is_small_alone_is_no_evidence_among_many():
    first, second = corrected([judged(evidence(0.03)), judged(evidence(0.9))])
    assert first.p_adjusted == pytest.approx(0.06)
    assert first.verdict == "no evidence"
    assert second.p_adjusted == pytest.approx(0.9)
    assert corrected([judged(evidence(0.03))])[0].verdict == "better"
