"""Figures per example on the host against the ones that training computes."""

import numpy as np
import pytest

from bmtrain.models.example_figures import values_per_example

LOGITS = [False, True]


@pytest.fixture
def by_tensorflow(runtime):
    """(experiment, figure, outputs, labels) -> the same by the models' own tables."""
    import tensorflow as tf

    from bmtrain.models.decision import takes_logits
    from bmtrain.models.losses import build_loss, encode_targets
    from bmtrain.models.metrics import build_metrics

    def run(experiment, figure, outputs, labels):
        if figure != "loss":
            metrics = build_metrics((figure,), takes_logits=takes_logits(experiment))
            return metrics[figure].per_example(tf.constant(labels), tf.constant(outputs)).numpy()
        classes = outputs.shape[1] if labels.ndim == 1 else None
        name = experiment.loss.name
        targets = encode_targets(tf.constant(labels), loss_name=name, num_classes=classes)
        return build_loss(experiment.loss)(targets, tf.constant(outputs)).numpy()

    return run


@pytest.fixture
def scores(random):
    return (4 * random.normal(size=(60, 8))).astype(np.float32)


@pytest.fixture
def classes(random):
    return random.integers(0, 8, 60).astype(np.int32)


def probabilities(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("from_logits", LOGITS)
@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize(
    "figure", ["loss", "smoothed loss", "accuracy", "top_5_accuracy", "log_loss", "brier_score"]
)
def test_classes(by_tensorflow, experiment, request, name, from_logits, figure):
    scores, classes = map(request.getfixturevalue, ("scores", "classes"))
    smoothing = 0.1 if figure == "smoothed loss" else 0.0
    figure = figure.removeprefix("smoothed ")
    loss = {"name": name, "from_logits": from_logits, "label_smoothing": smoothing}
    config = experiment({"type": "flatten"}, loss=loss)
    outputs = scores if from_logits else probabilities(scores)
    outputs[0] = 0 if from_logits else [1, 0, 0, 0, 0, 0, 0, 0]  # ties, and certainty
    ours = values_per_example(config, figure, outputs, classes)
    assert ours == pytest.approx(
        by_tensorflow(config, figure, outputs, classes), rel=1e-4, abs=1e-5
    )


@pytest.mark.parametrize("from_logits", LOGITS)
@pytest.mark.parametrize("figure", ["loss", "smoothed loss", "accuracy", "log_loss", "brier_score"])
def test_two_classes_by_one_output(by_tensorflow, experiment, random, from_logits, figure):
    smoothing = 0.1 if figure == "smoothed loss" else 0.0
    figure = figure.removeprefix("smoothed ")
    loss = {
        "name": "binary_crossentropy", "from_logits": from_logits, "label_smoothing": smoothing,
    }  # fmt: skip
    config = experiment({"type": "flatten"}, loss=loss)
    outputs = (3 * random.normal(size=(60, 1))).astype(np.float32)
    outputs = outputs if from_logits else (1 / (1 + np.exp(-outputs))).astype(np.float32)
    labels = random.integers(0, 2, 60).astype(np.int32)
    ours = values_per_example(config, figure, outputs, labels)
    assert ours == pytest.approx(by_tensorflow(config, figure, outputs, labels), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        {"name": "mean_squared_error"},
        {"name": "mean_absolute_error"},
        {"name": "huber", "delta": 0.7},
        {"name": "half_mean_squared_error"},
    ],
)
@pytest.mark.parametrize(
    "figure",
    ["loss", "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error"],
)
def test_numbers(by_tensorflow, experiment, random, scores, loss, figure):
    config = experiment({"type": "flatten"}, loss=loss)
    targets = random.normal(size=scores.shape).astype(np.float32)
    ours = values_per_example(config, figure, scores, targets)
    assert ours == pytest.approx(by_tensorflow(config, figure, scores, targets), rel=1e-4)


def test_the_loss_over_one_hot_classes(by_tensorflow, experiment, scores, classes):
    config = experiment({"type": "flatten"}, loss={"name": "mean_squared_error"})
    ours = values_per_example(config, "loss", scores, classes)
    assert ours == pytest.approx(by_tensorflow(config, "loss", scores, classes), rel=1e-4)


@pytest.mark.parametrize("label", [-1, 8])
def test_a_label_beyond_the_outputs_is_refused(experiment, scores, classes, label):
    classes[3] = label
    with pytest.raises(ValueError, match="expected classes from 0 to 7"):
        values_per_example(experiment({"type": "flatten"}), "top_5_accuracy", scores, classes)


def test_targets_of_another_shape_are_refused(experiment, scores):
    config = experiment({"type": "flatten"}, loss={"name": "mean_squared_error"})
    with pytest.raises(ValueError, match="in the shape of the outputs"):
        values_per_example(config, "loss", scores, scores[:, :1])
