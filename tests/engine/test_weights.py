"""Weighted examples: ``keras.Model.fit`` under the same weights and order is the oracle."""

import numpy as np
import pytest

from bmtrain.data.examples.weights import weighted
from bmtrain.data.splits.order import epoch_order

BATCH_SIZE = 16
NUM_EXAMPLES = 20 * BATCH_SIZE + 5


@pytest.fixture
def examples(random):
    """Three classes, of which the last is rare."""
    x = random.normal(size=(NUM_EXAMPLES, 5)).astype(np.float32)
    labels = (x[:, 0] > 0).astype(np.int32)
    labels[x[:, 1] > 1.4] = 2
    return x, labels, random.uniform(0, 3, NUM_EXAMPLES).astype(np.float32)


def classifier(experiment, **changes):
    return experiment(
        {"type": "dense", "units": 8, "activation": "tanh"},
        {"type": "dense", "units": 3, "activation": "softmax"},
        loss={"name": "sparse_categorical_crossentropy"},
        metrics=["accuracy"],
        optimizer={"name": "adam", "learning_rate": 0.01},
        regularization={"l2_lambda": 1e-3, "l2_convention": "sum"},
        training={"epochs": 2, "batch_size": BATCH_SIZE},
        **changes,
    )


def keras_classifier(weights):
    import keras

    penalty = keras.regularizers.L2(1e-3)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, "tanh", kernel_regularizer=penalty),
            keras.layers.Dense(3, "softmax", kernel_regularizer=penalty),
        ]
    )
    model.set_weights(weights)
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    return model


def fitted(model, x, y, *, sample_weight=None, class_weight=None):
    """Loss and accuracy of two epochs, as ``fit`` tells them."""
    told: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for epoch in range(2):
        order = epoch_order(len(x), seed=0, epoch=epoch)
        history = model.fit(
            x[order],
            y[order],
            sample_weight=None if sample_weight is None else sample_weight[order],
            class_weight=class_weight,
            batch_size=BATCH_SIZE,
            shuffle=False,
            verbose=0,
        ).history
        for name in told:
            told[name] += history[name]
    return told


def require_same(run, epochs, model, told):
    for ours, theirs in zip(run.weights().values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
    assert [e.train["objective"] for e in epochs] == pytest.approx(told["loss"], abs=2e-6)
    assert [e.train["accuracy"] for e in epochs] == pytest.approx(told["accuracy"], abs=1e-6)


@pytest.mark.parametrize("mode", ["xla", pytest.param("graph", marks=pytest.mark.long)])
def test_sample_weights_end_in_fits_weights_and_losses(
    harness, experiment, dataset, examples, mode
):
    x, labels, weights = examples
    held_out = (x[:40], labels[:40], weights[:40])
    data = dataset(x, labels, weights=weights, validation=held_out)
    run = harness(classifier(experiment), data, mode=mode)
    model = keras_classifier(list(run.weights().values()))
    epochs = run.train()
    require_same(run, epochs, model, fitted(model, x, labels, sample_weight=weights))

    loss, accuracy = model.evaluate(x[:40], labels[:40], sample_weight=weights[:40], verbose=0)
    assert epochs[-1].validation["objective"] == pytest.approx(loss, abs=2e-6)
    assert epochs[-1].validation["accuracy"] == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param({"0": 0.5, "2": 4.0}, id="some"),
        pytest.param({"0": 0.0}, id="zero", marks=pytest.mark.long),
        pytest.param("balanced", id="balanced", marks=pytest.mark.long),
    ],
)
def test_class_weights_end_in_fits_weights_and_losses(
    harness, experiment, dataset, examples, setting
):
    x, labels, _ = examples
    data = weighted(dataset(x, labels), setting)
    run = harness(classifier(experiment), data)
    model = keras_classifier(list(run.weights().values()))
    epochs = run.train()
    if setting == "balanced":
        counts = np.bincount(labels)
        given = {c: len(labels) / (3 * counts[c]) for c in range(3)}
    else:
        given = {int(name): weight for name, weight in setting.items()}
    require_same(run, epochs, model, fitted(model, x, labels, class_weight=given))


def test_class_and_sample_weights_multiply(harness, experiment, dataset, examples):
    """Keras takes one of both; their product is given to it."""
    x, labels, weights = examples
    data = weighted(dataset(x, labels, weights=weights), {"2": 4.0})
    run = harness(classifier(experiment), data)
    model = keras_classifier(list(run.weights().values()))
    epochs = run.train()
    product = weights * np.where(labels == 2, 4.0, 1.0).astype(np.float32)
    require_same(run, epochs, model, fitted(model, x, labels, sample_weight=product))


def test_weights_of_one_are_the_bits_of_no_weights(harness, experiment, dataset, examples):
    x, labels, _ = examples
    plain = harness(classifier(experiment), dataset(x, labels))
    ones = np.ones(NUM_EXAMPLES, np.float32)
    weighed = harness(classifier(experiment), dataset(x, labels, weights=ones))
    assert [e.train for e in plain.train()] == [e.train for e in weighed.train()]
    for one, other in zip(plain.weights().values(), weighed.weights().values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_split_without_weights_hands_none_to_the_compiled_steps(
    harness, experiment, dataset, examples
):
    x, labels, weights = examples
    plain = harness(classifier(experiment), dataset(x, labels)).steps
    weighed = harness(classifier(experiment), dataset(x, labels, weights=weights)).steps
    assert [len(steps._arrays) for steps in (plain, weighed)] == [1, 2]


def test_a_blocks_weights_are_those_of_its_own_examples(harness, experiment, dataset, random):
    """More than one block of an evaluation, and each weight on another example's loss is seen."""
    num_examples = 2500
    x = random.normal(size=(num_examples, 1)).astype(np.float32)
    y = random.normal(size=(num_examples, 1)).astype(np.float32)
    weights = random.uniform(0, 2, num_examples).astype(np.float32)
    config = experiment({"type": "dense", "units": 1}, metrics=["mean_squared_error"])
    data = dataset(x[:20], y[:20], test=(x, y, weights))
    run = harness(config, data)
    kernel, bias = run.weights().values()
    errors = (x * kernel + bias - y).astype(np.float64)[:, 0]
    figures = run.evaluator.evaluate(data.splits["test"]).figures
    assert figures["loss"] == pytest.approx(np.mean(weights * errors**2 / 2), rel=1e-6)
    assert figures["mean_squared_error"] == pytest.approx(np.mean(errors**2), rel=1e-6)
