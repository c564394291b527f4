"""``keras.Model.fit`` on the same order and the same initial weights is the oracle."""

import numpy as np
import pytest

from bmtrain.data.splits.order import epoch_order

BATCH_SIZE, NUM_FULL_STEPS, SHORT = 16, 200, 5
NUM_EXAMPLES = BATCH_SIZE * NUM_FULL_STEPS + SHORT
L2_LAMBDA = {"mean": 3.0, "sum": 1e-3, "half": 2e-3}


@pytest.fixture
def images(random):
    features = random.integers(0, 256, (NUM_EXAMPLES, 4, 4)).astype(np.uint8)
    brightness = features.reshape(NUM_EXAMPLES, -1)[:, :3].argmax(axis=1)
    return features, brightness.astype(np.int32)


def fit(model_layers, weights, x, y, *, optimizer, loss, epochs=1):
    """The loss that ``fit`` reports per epoch, and the trained model."""
    import keras

    model = keras.Sequential([keras.Input(x.shape[1:]), *model_layers])
    model.set_weights(weights)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    history: dict[str, list[float]] = {"loss": [], "accuracy": []}
    for epoch in range(epochs):
        order = epoch_order(len(x), seed=0, epoch=epoch)
        told = model.fit(x[order], y[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)
        for name in history:
            history[name] += told.history[name]
    return history, model


@pytest.mark.parametrize(
    ("convention", "mode"),
    [
        (None, "xla"),
        pytest.param("mean", "xla", marks=pytest.mark.long),
        pytest.param("sum", "graph", marks=pytest.mark.long),
        ("half", "graph"),
    ],
)
def test_200_steps_and_a_short_batch_of_adam_end_in_fits_weights(
    harness, experiment, dataset, images, convention, mode
):
    import keras

    features, labels = images
    factor = {
        None: 0.0,
        "mean": L2_LAMBDA["mean"] / (2 * NUM_EXAMPLES),
        "sum": L2_LAMBDA["sum"],
        "half": L2_LAMBDA["half"] / 2,
    }[convention]
    regularization = {}
    if convention is not None:
        regularization = {"l2_lambda": L2_LAMBDA[convention], "l2_convention": convention}
    config = experiment(
        {"type": "flatten"},
        {"type": "dense", "units": 12, "activation": "relu"},
        {"type": "dense", "units": 3, "activation": "softmax"},
        loss={"name": "sparse_categorical_crossentropy"},
        metrics=["accuracy"],
        optimizer={"name": "adam"},
        regularization=regularization,
        training={"epochs": 1, "batch_size": BATCH_SIZE},
    )
    run = harness(config, dataset(features, labels), mode=mode, normalize="auto")
    initial = list(run.weights().values())
    (epoch,) = run.train()
    assert epoch.step == NUM_FULL_STEPS + 1

    penalty = keras.regularizers.L2(factor) if factor else None
    history, model = fit(
        [
            keras.layers.Flatten(),
            keras.layers.Dense(12, "relu", kernel_regularizer=penalty),
            keras.layers.Dense(3, "softmax", kernel_regularizer=penalty),
        ],
        initial,
        features.astype(np.float32) * np.float32(1 / 255),
        labels,
        optimizer=keras.optimizers.Adam(0.001),
        loss="sparse_categorical_crossentropy",
    )
    for ours, theirs in zip(run.weights().values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
    assert epoch.train["objective"] == pytest.approx(history["loss"][0], abs=2e-6)
    assert epoch.train["accuracy"] == pytest.approx(history["accuracy"][0], abs=1e-7)
    assert (epoch.train["penalty"] > 0) == (convention is not None)


@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.long)])
def test_normalisation_layers_and_their_moving_statistics_end_as_in_fit(
    harness, experiment, dataset, random, mode
):
    import keras

    num_examples = 10 * BATCH_SIZE + SHORT
    x = (random.normal(size=(num_examples, 6)) * 3 + 2).astype(np.float32)
    labels = (x[:, 0] > x[:, 1]).astype(np.int32)
    config = experiment(
        {"type": "dense", "units": 8, "use_bias": False},
        {"type": "batch_normalization", "momentum": 0.9},
        {"type": "activation", "activation": "relu"},
        {"type": "layer_normalization"},
        {"type": "dense", "units": 1},
        loss={"name": "binary_crossentropy", "from_logits": True},
        metrics=["accuracy"],
        optimizer={"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        training={"epochs": 2, "batch_size": BATCH_SIZE},
    )
    run = harness(config, dataset(x, labels, validation=(x[:50], labels[:50])), mode=mode)
    initial = list(run.weights().values())
    epochs = run.train()

    history, model = fit(
        [
            keras.layers.Dense(8, use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Activation("relu"),
            keras.layers.LayerNormalization(),
            keras.layers.Dense(1),
        ],
        initial,
        x,
        labels,
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        epochs=2,
    )
    ours = run.weights()
    assert not np.array_equal(ours["layers.1.moving_mean"], np.zeros(8))
    for name, value in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours[name], value, atol=1e-5, err_msg=name)
    assert [e.train["objective"] for e in epochs] == pytest.approx(history["loss"], abs=1e-5)

    loss, _ = model.evaluate(x[:50], labels[:50], verbose=0)
    assert epochs[-1].validation["objective"] == pytest.approx(loss, abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 7, "full"])
def test_any_batch_size_ends_in_fits_weights(harness, experiment, dataset, random, batch_size):
    """7 into 20 leaves 6 for the last batch; 1 leaves nothing; full is one step."""
    import keras

    x = random.normal(size=(20, 3)).astype(np.float32)
    y = random.normal(size=(20, 2)).astype(np.float32)
    config = experiment(
        {"type": "dense", "units": 2},
        loss={"name": "mean_squared_error"},
        optimizer={"name": "rmsprop", "learning_rate": 0.01},
        training={"epochs": 3, "batch_size": batch_size},
    )
    run = harness(config, dataset(x, y))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.set_weights(list(run.weights().values()))
    epochs = run.train()

    model.compile(optimizer=keras.optimizers.RMSprop(0.01), loss="mean_squared_error")
    size = 20 if batch_size == "full" else batch_size
    for epoch, ours in enumerate(epochs):
        order = epoch_order(20, seed=0, epoch=epoch)
        told = model.fit(x[order], y[order], batch_size=size, shuffle=False, verbose=0)
        assert ours.train["loss"] == pytest.approx(told.history["loss"][0], abs=1e-6)
    for value, theirs in zip(run.weights().values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(value, theirs, atol=1e-6)
    assert epochs[-1].step == 3 * -(-20 // size)
