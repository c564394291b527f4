"""Every metric against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

NUM_EXAMPLES = 200


@pytest.fixture
def compute(runtime):
    import tensorflow as tf

    from bmtrain.models.metrics import build_metrics

    def run(name, labels, outputs, *, takes_logits=False):
        metric = build_metrics((name,), takes_logits=takes_logits)[name]
        values = metric.per_example(tf.constant(labels), tf.constant(outputs)).numpy()
        assert values.shape == (len(labels),)
        assert values.dtype == np.float32
        return metric.finish(float(values.mean(dtype=np.float64)))

    return run


@pytest.fixture
def outputs(random):
    return random.random((NUM_EXAMPLES, 8)).astype(np.float32)


@pytest.fixture
def labels(random):
    return random.integers(0, 8, NUM_EXAMPLES).astype(np.int32)


def test_accuracy_is_the_share_of_examples_whose_largest_output_is_the_label(
    compute, labels, outputs
):
    expected = sklearn_metrics.accuracy_score(labels, outputs.argmax(axis=1))
    assert compute("accuracy", labels, outputs) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("takes_logits", "threshold"), [(True, 0.0), (False, 0.5)])
def test_accuracy_of_one_output_compares_it_with_the_threshold(
    compute, random, takes_logits, threshold
):
    output = random.normal(size=(NUM_EXAMPLES, 1)).astype(np.float32)
    labels = random.integers(0, 2, NUM_EXAMPLES).astype(np.int32)
    expected = sklearn_metrics.accuracy_score(labels, output[:, 0] > threshold)
    value = compute("accuracy", labels, output, takes_logits=takes_logits)
    assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_top_k_accuracy_is_that_of_scikit_learn(compute, labels, outputs, k):
    expected = sklearn_metrics.top_k_accuracy_score(labels, outputs, k=k)
    assert compute(f"top_{k}_accuracy", labels, outputs) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("num_outputs", [2, 5])
def test_top_5_accuracy_of_few_classes_is_1(compute, random, num_outputs):
    outputs = random.random((20, num_outputs)).astype(np.float32)
    labels = random.integers(0, num_outputs, 20).astype(np.int32)
    assert compute("top_5_accuracy", labels, outputs) == 1.0


@pytest.mark.parametrize(
    "name", ["mean_squared_error", "root_mean_squared_error", "mean_absolute_error"]
)
def test_a_regression_metric_is_that_of_scikit_learn(compute, random, name):
    targets, outputs = random.normal(size=(2, NUM_EXAMPLES, 1)).astype(np.float32)
    expected = getattr(sklearn_metrics, name)(targets, outputs)
    assert compute(name, targets, outputs) == pytest.approx(expected, rel=1e-6)


def test_the_root_is_taken_after_the_mean_over_all_targets(compute, random):
    targets, outputs = random.normal(size=(2, NUM_EXAMPLES, 3)).astype(np.float32)
    expected = np.sqrt(np.mean((targets.astype(np.float64) - outputs) ** 2))
    value = compute("root_mean_squared_error", targets, outputs)
    assert value == pytest.approx(expected, rel=1e-6)


def probabilities_of(logits):
    """In float64, a column per class."""
    if logits.shape[1] == 1:
        second = 1 / (1 + np.exp(-logits.astype(np.float64)))
        return np.concatenate([1 - second, second], axis=1)
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("takes_logits", [False, True])
@pytest.mark.parametrize("num_outputs", [1, 2, 6])
def test_a_score_of_probabilities_is_that_of_scikit_learn(
    compute, random, num_outputs, takes_logits
):
    logits = (2 * random.normal(size=(NUM_EXAMPLES, num_outputs))).astype(np.float32)
    wide = probabilities_of(logits)
    num_classes = wide.shape[1]
    labels = (np.arange(NUM_EXAMPLES) % num_classes).astype(np.int32)
    outputs = logits if takes_logits else wide[:, -num_outputs:].astype(np.float32)
    nats = sklearn_metrics.log_loss(labels, wide)
    value = compute("log_loss", labels, outputs, takes_logits=takes_logits)
    assert value == pytest.approx(nats, rel=1e-6)
    if num_classes == 2:
        expected = sklearn_metrics.brier_score_loss(labels, wide[:, 1])
    else:
        expected = ((wide - np.eye(num_classes)[labels]) ** 2).sum(axis=1).mean()
    value = compute("brier_score", labels, outputs, takes_logits=takes_logits)
    assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_the_log_loss_of_certain_errors_is_finite(compute, num_outputs):
    """Of a float32 probability scikit-learn keeps it from 0 by float32's epsilon."""
    outputs = np.zeros((4, num_outputs), np.float32)
    if num_outputs > 1:
        outputs[:, 0] = 1
    labels = np.ones(4, np.int32)
    value = compute("log_loss", labels, outputs)
    assert value == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-6)


def test_percents_are_keras(compute, random):
    import keras

    targets, outputs = random.normal(size=(2, 30, 2)).astype(np.float32)
    targets[0] = 0  # which Keras takes for 1e-7
    expected = keras.losses.mean_absolute_percentage_error(targets, outputs).numpy().mean()
    value = compute("mean_absolute_percentage_error", targets, outputs)
    assert value == pytest.approx(float(expected), rel=1e-5)
