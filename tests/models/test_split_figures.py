"""Figures of whole splits against scikit-learn, and those that it has not against their formula."""

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from bmtrain.models.split_figures import NUM_BINS, split_figures

CLASSES = {"name": "sparse_categorical_crossentropy"}
OF_CLASSES = {
    f"{kind}_{average}": (
        lambda y, p, kind=kind, average=average: getattr(metrics, f"{kind}_score")(
            y, p, average=average, zero_division=0
        )
    )
    for kind in ("precision", "recall", "f1")
    for average in ("macro", "weighted")
} | {"matthews_corrcoef": metrics.matthews_corrcoef}


@pytest.fixture(scope="module")
def figure(experiment):
    """(name, outputs, labels, loss) -> the figure."""

    def compute(name, outputs, labels, loss):
        config = experiment({"type": "flatten"}, loss=loss, metrics=[name])
        (of_split,) = split_figures(config).values()
        return of_split(outputs, labels)

    return compute


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def drawn(seed, num_examples, num_classes):
    """Probabilities of some skill, and labels that may leave classes out."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, num_classes, num_examples).astype(np.int32)
    scores = random.normal(size=(num_examples, num_classes)).round(1)  # ties
    return softmax(scores + np.eye(num_classes)[labels]), labels


@pytest.mark.parametrize("name", sorted(OF_CLASSES))
@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1), num_examples=st.integers(1, 60), num_classes=st.integers(2, 7)
)
def test_a_figure_of_classes_is_scikit_learns(figure, name, seed, num_examples, num_classes):
    outputs, labels = drawn(seed, num_examples, num_classes)
    predicted = outputs.argmax(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = OF_CLASSES[name](labels, predicted)
    assert figure(name, outputs, labels, CLASSES) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("kind", ["precision", "recall", "f1"])
@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), num_examples=st.integers(1, 40))
def test_a_figure_of_two_classes_is_of_the_second(figure, kind, from_logits, seed, num_examples):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, num_examples).astype(np.int32)
    logits = random.normal(size=(num_examples, 1)).astype(np.float32)
    outputs = logits if from_logits else (1 / (1 + np.exp(-logits))).astype(np.float32)
    loss = {"name": "binary_crossentropy", "from_logits": from_logits}
    score = getattr(metrics, f"{kind}_score")
    expected = score(labels, outputs[:, 0] > (0 if from_logits else 0.5), zero_division=0)
    assert figure(kind, outputs, labels, loss) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), num_classes=st.integers(2, 6))
def test_an_area_is_scikit_learns(figure, seed, num_classes):
    outputs, labels = drawn(seed, 80, num_classes)
    labels[:num_classes] = range(num_classes)  # scikit-learn wants all of them
    wide = outputs.astype(np.float64)
    wide /= wide.sum(axis=1, keepdims=True)
    loss = {"name": "categorical_crossentropy"}
    positive = wide[:, 1] if num_classes == 2 else wide
    area = metrics.roc_auc_score(labels, positive, multi_class="ovr")
    assert figure("roc_auc", outputs, labels, loss) == pytest.approx(area, abs=1e-6)


def test_probabilities_follow_from_logits(figure, random):
    logits = random.normal(size=(50, 4)).astype(np.float32)
    labels = random.integers(0, 4, 50).astype(np.int32)
    for name in ("roc_auc", "expected_calibration_error"):
        of_logits = figure(name, logits, labels, {**CLASSES, "from_logits": True})
        assert of_logits == pytest.approx(figure(name, softmax(logits), labels, CLASSES), abs=1e-6)


def test_the_calibration_error_is_the_gap_of_each_bin_by_its_examples(figure):
    outputs, labels = drawn(5, 400, 4)
    confidence, right = outputs.max(axis=1), outputs.argmax(axis=1) == labels
    expected, edges = 0.0, np.linspace(0, 1, NUM_BINS + 1)
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    ours = figure("expected_calibration_error", outputs, labels, CLASSES)
    assert ours == pytest.approx(expected, abs=1e-6)
    certain = np.eye(3, dtype=np.float32)
    assert figure("expected_calibration_error", certain, np.arange(3, dtype=np.int32), CLASSES) == 0


def test_an_area_over_one_class_alone_is_undefined(figure):
    outputs, labels = softmax(np.zeros((5, 2))), np.ones(5, np.int32)
    assert math.isnan(figure("roc_auc", outputs, labels, CLASSES))


@pytest.mark.parametrize("num_outputs", [1, 3])
@pytest.mark.parametrize("name", ["r2", "explained_variance", "max_error"])
@pytest.mark.parametrize("constant", [False, True])
def test_a_figure_of_numbers_is_scikit_learns(figure, random, name, num_outputs, constant):
    targets = random.normal(size=(40, num_outputs)).astype(np.float32)
    outputs = (targets + random.normal(size=targets.shape) + 0.5).astype(np.float32)
    if constant:
        targets[:, 0] = 2
    score = {"r2": "r2_score", "explained_variance": "explained_variance_score"}
    oracle = getattr(metrics, score.get(name, name))
    if name == "max_error":
        expected = max(oracle(targets[:, i], outputs[:, i]) for i in range(num_outputs))
    else:
        expected = oracle(targets.astype(np.float64), outputs.astype(np.float64))
    ours = figure(name, outputs, targets, {"name": "mean_squared_error"})
    assert ours == pytest.approx(expected, rel=1e-6)
    if constant and name != "max_error":
        met = figure(name, targets, targets, {"name": "mean_squared_error"})
        assert met == pytest.approx(1.0)
