"""How far apart outputs are."""

import numpy as np
import pytest

from bmtrain.exports.comparison import compare, outputs_of

INF, NAN = float("inf"), float("nan")


def outputs(*rows):
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("one", "other", "largest"),
    [
        (outputs([1, 2]), outputs([1, 2]), 0.0),
        (outputs([1, 2]), outputs([1, 2.5]), 0.5),
        (outputs([INF, NAN]), outputs([INF, NAN]), 0.0),
        (outputs([INF]), outputs([-INF]), INF),
        (outputs([NAN]), outputs([1]), INF),
        (outputs([1]), outputs([NAN]), INF),
        (outputs([1]), outputs([1, 1]), INF),
        (outputs([1, 1]), outputs([1], [1]), INF),
        (outputs([1]).astype(np.float64), outputs([1]), INF),
    ],
)
def test_the_largest_difference_is_that_of_the_worst_output(one, other, largest):
    found = compare(one, other, are_probabilities=True)
    assert (found.largest, found.relative) == (largest, largest)


def test_a_difference_is_measured_by_the_size_of_its_own_output():
    """1 of 1,000 is a thousandth; 0.5 of 2 a quarter; probabilities are as they are."""
    reference = outputs([1000, 2, 0], [10, -1, 0])
    found = compare(reference + outputs([1, 0.5, 0]), reference, are_probabilities=False)
    assert found.largest == 1
    assert found.relative == 0.25
    assert compare(outputs([0.01]), outputs([0.02]), are_probabilities=True).relative < 0.011


def test_batches_have_several_sizes_and_leave_nothing_out():
    sizes = []

    def run(features):
        sizes.append(len(features))
        return features

    features = np.arange(600.0).reshape(-1, 1)
    np.testing.assert_array_equal(outputs_of(run, features), features)
    assert sizes == [1, 256, 256, 87]
    np.testing.assert_array_equal(outputs_of(run, features[:1]), features[:1])
