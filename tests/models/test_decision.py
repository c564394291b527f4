"""From outputs to classes and probabilities."""

import numpy as np
import pytest
from scipy.special import expit, softmax

from bmtrain.models.decision import class_probabilities, predicted_classes


def config(experiment, name, **options):
    return experiment({"type": "flatten"}, loss={"name": name, **options})


def test_the_largest_output_is_the_class_and_the_first_of_equals_wins(experiment):
    outputs = np.array([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]], np.float32)
    sparse = config(experiment, "sparse_categorical_crossentropy")
    assert predicted_classes(sparse, outputs).tolist() == [1, 0]


@pytest.mark.parametrize(("from_logits", "expected"), [(False, [0, 0, 1]), (True, [0, 1, 1])])
def test_one_output_is_compared_with_a_half_or_as_a_logit_with_0(experiment, from_logits, expected):
    outputs = np.array([[-0.1], [0.3], [0.6]], np.float32)
    binary = config(experiment, "binary_crossentropy", from_logits=from_logits)
    assert predicted_classes(binary, outputs).tolist() == expected


def test_logits_become_probabilities_by_softmax_without_overflow(experiment, random):
    logits = np.vstack([random.normal(size=(20, 3)) * 5, [[1e4, -1e4, 0]]]).astype(np.float32)
    sparse = config(experiment, "sparse_categorical_crossentropy", from_logits=True)
    probabilities = class_probabilities(sparse, logits)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, softmax(logits.astype(np.float64), axis=1), rtol=1e-6)


def test_one_logit_becomes_two_probabilities_by_the_logistic_function(experiment):
    logits = np.array([[-1000], [-2], [0], [3], [1000]], np.float32)
    binary = config(experiment, "binary_crossentropy", from_logits=True)
    probabilities = class_probabilities(binary, logits)
    second = expit(logits[:, 0].astype(np.float64))
    np.testing.assert_allclose(probabilities[:, 1], second, rtol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_probabilities_stay_as_they_are(experiment, random):
    outputs = softmax(random.normal(size=(5, 3)), axis=1).astype(np.float32)
    sparse = config(experiment, "sparse_categorical_crossentropy")
    np.testing.assert_array_equal(class_probabilities(sparse, outputs), outputs)
    one = random.random((5, 1)).astype(np.float32)
    binary = config(experiment, "binary_crossentropy")
    np.testing.assert_array_equal(class_probabilities(binary, one)[:, 1:], one)


def test_scores_of_a_regression_loss_are_no_probabilities_and_stay(experiment, random):
    outputs = random.normal(size=(5, 3)).astype(np.float32)
    squares = config(experiment, "mean_squared_error")
    np.testing.assert_array_equal(class_probabilities(squares, outputs), outputs)
