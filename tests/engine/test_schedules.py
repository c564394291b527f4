"""A learning rate that follows the step, or a figure, in the compiled loop, against Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.data.splits.order import epoch_order

NUM_EXAMPLES, BATCH_SIZE, EPOCHS = 75, 10, 6
STEPS_PER_EPOCH = 8  # the last batch has 5


@pytest.fixture
def numbers(random):
    x = random.normal(size=(NUM_EXAMPLES, 3)).astype(np.float32)
    return x, x @ random.normal(size=(3, 2)).astype(np.float32)


@pytest.fixture
def regression(experiment):
    def make(**optimizer):
        return experiment(
            {"type": "dense", "units": 2},
            loss={"name": "mean_squared_error"},
            optimizer=optimizer,
            training={"epochs": EPOCHS, "batch_size": BATCH_SIZE},
        )

    return make


@pytest.mark.parametrize(
    ("optimizer", "mode"),
    [
        pytest.param(optimizer, mode, marks=[] if optimizer == "muon" else pytest.mark.long)
        for optimizer in ("adam", "adamw", "muon")
        for mode in ("graph", "xla")
    ],
)
def test_a_warm_cosine_ends_in_fits_weights_and_is_compiled_once(
    harness, regression, dataset, numbers, mode, optimizer
):
    import keras

    x, y = numbers
    schedule = {"name": "cosine", "initial": 0.05, "warmup": "1 epoch", "alpha": 0.1}
    run = harness(regression(name=optimizer, learning_rate=schedule), dataset(x, y), mode=mode)
    initial = list(run.weights().values())
    epochs = run.train()

    total = STEPS_PER_EPOCH * EPOCHS
    theirs = keras.optimizers.schedules.CosineDecay(
        0.0, total - STEPS_PER_EPOCH, alpha=0.1, warmup_target=0.05, warmup_steps=STEPS_PER_EPOCH
    )
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.set_weights(initial)
    model.compile(optimizer=keras.optimizers.get(optimizer), loss="mean_squared_error")
    model.optimizer.learning_rate = theirs
    for epoch in range(EPOCHS):
        order = epoch_order(NUM_EXAMPLES, seed=0, epoch=epoch)
        model.fit(x[order], y[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    for ours, weights in zip(run.weights().values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, weights, atol=2e-5)
    last = [float(theirs(STEPS_PER_EPOCH * (epoch + 1) - 1)) for epoch in range(EPOCHS)]
    assert [epoch.learning_rate for epoch in epochs] == pytest.approx(last, rel=1e-5)
    assert set(run.steps.trace_counts.values()) == {1}


def keras_rates(values, **options):
    """The rate in each epoch, as Keras's callback sets it."""
    import keras

    callback = keras.callbacks.ReduceLROnPlateau(monitor="value", **options)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(1.0))
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        rates.append(float(model.optimizer.learning_rate.numpy()))
        callback.on_epoch_end(epoch, {"value": value})
    return rates


@settings(max_examples=150)
@given(
    values=st.lists(st.integers(0, 8).map(lambda n: n / 4), min_size=1, max_size=20),
    options=st.fixed_dictionaries(
        {
            "factor": st.just(0.5),
            "patience": st.integers(1, 3),
            "cooldown": st.integers(0, 3),
            "min_delta": st.sampled_from([0.0, 0.25, 1.0]),
            "mode": st.sampled_from(["min", "max"]),
            "min_lr": st.sampled_from([0.0, 0.1, 0.3]),
        }
    ),
)
def test_a_plateau_reduces_the_rate_when_keras_would(runtime, values, options):
    from bmtrain.config.sections.learning_rate import ReduceOnPlateau
    from bmtrain.engine.plateau import after_epoch
    from bmtrain.models.schedules import plateau_rate
    from bmtrain.training_state import Plateau

    config = ReduceOnPlateau(name="reduce_on_plateau", initial=1.0, **options)
    plateau, rates = Plateau(), []
    for value in values:
        rates.append(plateau_rate(config, plateau.reductions))
        plateau = after_epoch(config, plateau, value)
    assert rates == pytest.approx(keras_rates(values, **options), rel=1e-6)


def test_a_plateaus_rate_is_that_of_the_steps_and_of_the_log(harness, regression, dataset, numbers):
    """min_delta is out of reach: from the second epoch on each is one too many."""
    import keras

    x, y = numbers
    schedule = {
        "name": "reduce_on_plateau", "initial": 0.1, "monitor": "train.loss", "factor": 0.5,
        "patience": 1, "min_delta": 1e9, "min_lr": 0.02,
    }  # fmt: skip
    run = harness(regression(name="sgd", learning_rate=schedule), dataset(x, y))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.set_weights(list(run.weights().values()))
    epochs = run.train()
    rates = [0.1, 0.1, 0.05, 0.025, 0.02, 0.02]
    assert [epoch.learning_rate for epoch in epochs] == rates
    assert run.steps.trace_counts == {"full": 1, "short": 1}

    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mean_squared_error")
    for epoch, rate in enumerate(rates):
        model.optimizer.learning_rate = rate
        order = epoch_order(NUM_EXAMPLES, seed=0, epoch=epoch)
        model.fit(x[order], y[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    for ours, weights in zip(run.weights().values(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, weights, atol=1e-6)
