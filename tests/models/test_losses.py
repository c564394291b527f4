"""Every loss against its formula in NumPy."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.metrics import log_loss

NUM_EXAMPLES, NUM_CLASSES = 50, 4


@pytest.fixture
def compute(runtime, experiment):
    """(name, labels, outputs, **options) -> the loss of each example."""
    import tensorflow as tf

    from bmtrain.models.losses import build_loss, encode_targets

    def run(name, labels, outputs, *, num_classes=None, **options):
        config = experiment({"type": "flatten"}, loss={"name": name, **options}).loss
        targets = encode_targets(tf.constant(labels), loss_name=name, num_classes=num_classes)
        values = build_loss(config)(targets, tf.constant(outputs)).numpy()
        assert values.shape == (len(labels),)
        assert values.dtype == np.float32
        return values

    return run


@pytest.fixture
def scores(random):
    return random.normal(size=(NUM_EXAMPLES, NUM_CLASSES)).astype(np.float32) * 3


@pytest.fixture
def classes(random):
    return random.integers(0, NUM_CLASSES, NUM_EXAMPLES).astype(np.int32)


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_crossentropy_is_minus_the_log_of_the_labels_probability(compute, scores, classes, name):
    probabilities = softmax(scores.astype(np.float64), axis=1)
    expected = -np.log(probabilities[np.arange(NUM_EXAMPLES), classes])

    of_probabilities = compute(
        name, classes, probabilities.astype(np.float32), num_classes=NUM_CLASSES
    )
    of_logits = compute(name, classes, scores, num_classes=NUM_CLASSES, from_logits=True)

    np.testing.assert_allclose(of_probabilities, expected, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(of_logits, expected, rtol=2e-5, atol=2e-6)
    assert of_logits.mean() == pytest.approx(log_loss(classes, probabilities), rel=1e-5)


def test_crossentropy_of_logits_stays_finite_where_probabilities_underflow(compute):
    logits = np.array([[200.0, -200.0]], np.float32)
    (value,) = compute(
        "sparse_categorical_crossentropy",
        np.array([1], np.int32),
        logits,
        num_classes=2,
        from_logits=True,
    )
    assert value == pytest.approx(-log_softmax(logits.astype(np.float64))[0, 1])


def test_binary_crossentropy_follows_its_formula_with_and_without_logits(compute, random):
    logits = random.normal(size=(NUM_EXAMPLES, 1)).astype(np.float32) * 2
    labels = random.integers(0, 2, NUM_EXAMPLES).astype(np.int32)
    p = expit(logits[:, 0].astype(np.float64))
    expected = -labels * np.log(p) - (1 - labels) * np.log(1 - p)

    name = "binary_crossentropy"
    of_logits = compute(name, labels, logits, num_classes=2, from_logits=True)
    of_probabilities = compute(name, labels, p[:, None].astype(np.float32), num_classes=2)

    np.testing.assert_allclose(of_logits, expected, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(of_probabilities, expected, rtol=2e-5, atol=2e-6)
    assert of_logits.mean() == pytest.approx(log_loss(labels, p), rel=1e-5)


def _huber(error, delta):
    small = np.abs(error) <= delta
    return np.where(small, 0.5 * error**2, delta * np.abs(error) - 0.5 * delta**2).mean(axis=1)


REGRESSION_LOSSES = {
    "mean_squared_error": lambda e: (e**2).mean(axis=1),
    "mean_absolute_error": lambda e: np.abs(e).mean(axis=1),
    "half_mean_squared_error": lambda e: 0.5 * (e**2).sum(axis=1),
    "huber": lambda e: _huber(e, 1.0),
}


@pytest.mark.parametrize("name", sorted(REGRESSION_LOSSES))
def test_a_regression_loss_follows_its_formula_over_several_targets(compute, random, name):
    targets, outputs = random.normal(size=(2, NUM_EXAMPLES, 3)).astype(np.float32) * 2
    expected = REGRESSION_LOSSES[name](outputs.astype(np.float64) - targets)
    np.testing.assert_allclose(compute(name, targets, outputs), expected, rtol=1e-5)


def test_huber_is_quadratic_up_to_delta_and_linear_beyond(compute, random):
    targets, outputs = random.normal(size=(2, NUM_EXAMPLES, 2)).astype(np.float32) * 2
    expected = _huber(outputs.astype(np.float64) - targets, 0.3)
    np.testing.assert_allclose(compute("huber", targets, outputs, delta=0.3), expected, rtol=1e-5)


def test_a_regression_loss_over_classes_learns_one_hot_targets(compute, scores, classes):
    one_hot = np.eye(NUM_CLASSES)[classes]
    values = compute("mean_squared_error", classes, scores, num_classes=NUM_CLASSES)
    np.testing.assert_allclose(values, ((scores - one_hot) ** 2).mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_smoothed_classes_are_keras_smoothed_one_hot_targets(
    compute, scores, classes, sparse, from_logits
):
    import keras

    name = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"
    options = {"label_smoothing": 0.15, "from_logits": from_logits}
    outputs = scores if from_logits else softmax(scores, axis=1)
    ours = compute(name, classes, outputs, num_classes=NUM_CLASSES, **options)
    one_hot = np.eye(NUM_CLASSES, dtype=np.float32)[classes]
    theirs = keras.losses.CategoricalCrossentropy(**options, reduction=None)(one_hot, outputs)
    np.testing.assert_array_equal(ours, theirs.numpy())
    plain = log_softmax(scores.astype(np.float64), axis=1)
    formula = -(one_hot * 0.85 + 0.15 / NUM_CLASSES) * plain
    np.testing.assert_allclose(ours, formula.sum(axis=1), rtol=2e-5, atol=2e-5)


def test_two_smoothed_classes_are_keras_smoothed_targets(compute, random):
    import keras

    logits = random.normal(size=(NUM_EXAMPLES, 1)).astype(np.float32) * 2
    labels = random.integers(0, 2, NUM_EXAMPLES).astype(np.int32)
    options = {"label_smoothing": 0.2, "from_logits": True}
    ours = compute("binary_crossentropy", labels, logits, num_classes=2, **options)
    targets = labels[:, None].astype(np.float32)
    theirs = keras.losses.BinaryCrossentropy(**options, reduction=None)(targets, logits)
    np.testing.assert_array_equal(ours, theirs.numpy())
