"""A whole split: exact means, the same for any split, and no padding in what comes out."""

import numpy as np
import pytest
from scipy.special import softmax


@pytest.mark.parametrize("num_examples", [1, 1023, 1024, 1025, 2500])
def test_figures_are_means_over_every_example_and_no_other(
    harness, experiment, dataset, random, num_examples
):
    x = random.normal(size=(num_examples, 4)).astype(np.float32)
    labels = random.integers(0, 3, num_examples).astype(np.int32)
    config = experiment(
        {"type": "dense", "units": 3, "activation": "softmax", "bias_initializer": "ones"},
        loss={"name": "sparse_categorical_crossentropy"},
        metrics=["accuracy"],
        regularization={"l2_lambda": 0.25, "l2_convention": "sum"},
    )
    data = dataset(x, labels, num_classes=3)
    run = harness(config, data)
    kernel, bias = run.weights().values()
    evaluation = run.evaluator.evaluate(data.splits["train"])

    p = softmax(x.astype(np.float64) @ kernel + bias, axis=1)
    figures = evaluation.figures
    assert list(figures) == ["loss", "penalty", "objective", "accuracy"]
    loss = -np.log(p[np.arange(num_examples), labels]).mean()
    assert figures["loss"] == pytest.approx(loss, rel=1e-5)
    penalty = 0.25 * np.sum(kernel.astype(np.float64) ** 2)
    assert figures["penalty"] == pytest.approx(penalty, rel=1e-6)
    assert figures["objective"] == figures["loss"] + figures["penalty"]
    assert figures["accuracy"] == pytest.approx(np.mean(p.argmax(axis=1) == labels), abs=1e-12)
    assert evaluation.outputs.shape == (num_examples, 3)
    np.testing.assert_allclose(evaluation.outputs, p, atol=1e-6)
    np.testing.assert_array_equal(run.evaluator.predict(x), evaluation.outputs)


def test_the_mean_keeps_the_precision_that_float32_sums_lose(harness, experiment, dataset):
    """0.1 as float32, 100,000 times: float64 sums give it back, float32 sums drift by 1e-6."""
    x = np.ones((100_000, 1), np.float32)
    y = np.full((100_000, 1), 0.9, np.float32)
    data = dataset(x, y)
    config = experiment(
        {"type": "dense", "units": 1, "kernel_initializer": "ones"},
        loss={"name": "mean_absolute_error"},
    )
    run = harness(config, data)
    loss = run.evaluator.evaluate(data.splits["train"]).figures["loss"]
    assert loss == pytest.approx(float(np.float32(1) - np.float32(0.9)), rel=1e-12)


def test_evaluation_changes_nothing(harness, experiment, dataset, random):
    x = random.normal(size=(20, 4)).astype(np.float32)
    data = dataset(x, x[:, :1])
    config = experiment({"type": "batch_normalization"}, {"type": "dense", "units": 1})
    run = harness(config, data)
    before = run.weights()
    first = run.evaluator.evaluate(data.splits["train"])
    second = run.evaluator.evaluate(data.splits["train"])
    assert first.figures == second.figures
    assert all(np.array_equal(before[name], value) for name, value in run.weights().items())


def test_uint8_and_normalisation_are_as_in_training(harness, experiment, dataset, random):
    x = random.integers(0, 256, (30, 4)).astype(np.uint8)
    data = dataset(x, np.zeros((30, 4), np.float32))
    config = experiment({"type": "activation", "activation": "linear"})
    run = harness(config, data, normalize="unit")
    np.testing.assert_allclose(run.evaluator.predict(x), x / np.float32(255), rtol=1e-6)
