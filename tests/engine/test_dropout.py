"""Dropout's mask is a pure function of (seed, layer, step)."""

from typing import Literal

import numpy as np
import pytest

RATE = 0.3


@pytest.fixture
def drop(runtime):
    """(seed, position, step) -> ones after dropout, eagerly; ``rate`` and ``inputs`` may change."""
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.regularizing import dropout

    def run(seed=0, position=1, step=0, *, rate=RATE, inputs=None):
        inputs = tf.ones((200, 50)) if inputs is None else tf.constant(inputs)
        layer = keras.layers.Dropout(rate)
        return dropout(layer, inputs, seed, position, tf.constant(step, tf.int64)).numpy()

    return run


def test_the_mask_is_the_same_whenever_it_is_drawn(drop):
    import tensorflow as tf

    first = drop(5, 2, 1000)
    tf.random.set_seed(3)
    tf.random.uniform((10,))
    np.testing.assert_array_equal(first, drop(5, 2, 1000))


@pytest.mark.parametrize("other", [(1, 1, 0), (0, 2, 0), (0, 1, 1), (0, 1, 2**40)])
def test_another_seed_layer_or_step_draws_another_mask(drop, other):
    first, second = drop(0, 1, 0) > 0, drop(*other) > 0
    agreement = np.mean(first == second)  # of independent masks: p² + (1 − p)²
    assert agreement == pytest.approx(RATE**2 + (1 - RATE) ** 2, abs=0.03)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_share_of_rate_is_zeroed_and_the_rest_scaled_up(drop, rate):
    dropped = drop(rate=rate)
    kept = dropped[dropped != 0]
    np.testing.assert_allclose(kept, 1 / (1 - rate), rtol=1e-6)
    assert np.mean(dropped == 0) == pytest.approx(rate, abs=0.02)
    assert dropped.mean() == pytest.approx(1, abs=0.05 / (1 - rate))


def test_masks_of_features_and_examples_are_independent(drop):
    mask = drop() > 0
    assert len({row.tobytes() for row in mask}) == len(mask)
    assert len({column.tobytes() for column in mask.T}) == mask.shape[1]


def test_a_rate_of_0_is_the_identity(drop, random):
    inputs = random.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_array_equal(drop(rate=0.0, inputs=inputs), inputs)


def test_the_lowering_is_recorded_for_models_that_have_it(runtime):
    import keras

    from bmtrain.engine.lowerings.table import lowerings_used

    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    dropped = keras.Sequential([keras.Input((2,)), keras.layers.Dropout(0.1)])
    places: list[tuple[Literal["xla", "graph"], str]]
    places = [("xla", "cpu"), ("graph", "cpu"), ("xla", "gpu")]
    for mode, device in places:
        assert lowerings_used(plain, mode=mode, device=device) == ()
        name = "dropout_threefry16" if (mode, device) == ("xla", "cpu") else "dropout"
        assert lowerings_used(dropped, mode=mode, device=device) == (name,)


def test_training_drops_by_layer_and_step_and_evaluation_drops_nothing(
    runtime, harness, experiment, dataset, random
):
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import forward_in_training

    x = np.abs(random.normal(size=(30, 40))).astype(np.float32) + 1
    layers = ({"type": "dropout", "rate": RATE},) * 2
    run = harness(experiment(*layers), dataset(x, x.copy()))

    def masks(step):
        outputs = forward_in_training(
            run.problem, tf.constant(x), tf.constant(step, tf.int64), {"dropout"}
        )
        return outputs.numpy() != 0

    share = (1 - RATE) ** 2  # kept by both layers, if they drop independently
    assert masks(0).mean() == pytest.approx(share, abs=0.05)
    assert not np.array_equal(masks(0), masks(1))
    np.testing.assert_array_equal(run.evaluator.predict(x), x)


@pytest.mark.parametrize("generator", ["philox", "threefry"])
def test_under_xla_too_a_mask_follows_from_its_step_alone(runtime, generator):
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.regularizing import dropout

    layer = keras.layers.Dropout(RATE)

    @tf.function(jit_compile=True)
    def mask(step):
        ones = tf.ones((201, 50))  # odd: two examples share a number of 32 bits
        return dropout(layer, ones, 0, 1, step, generator=generator) > 0

    first, second, again = (mask(tf.constant(step, tf.int64)).numpy() for step in (7, 8, 7))
    np.testing.assert_array_equal(first, again)
    assert len({row.tobytes() for row in first}) == len(first)
    assert len({column.tobytes() for column in first.T}) == first.shape[1]
    assert first.mean() == pytest.approx(1 - RATE, abs=0.02)
    agreement = np.mean(first == second)
    assert agreement == pytest.approx(RATE**2 + (1 - RATE) ** 2, abs=0.03)


def test_a_run_keeps_to_the_generator_that_its_record_names(
    runtime, harness, experiment, dataset, random
):
    """One that was recorded before there was Threefry goes on with Philox, under XLA too."""
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.regularizing import dropout
    from bmtrain.engine.lowerings.table import forward_in_training

    x = np.ones((30, 40), np.float32)
    run = harness(experiment({"type": "dropout", "rate": RATE}), dataset(x, x.copy()))
    (layer,) = run.problem.model.layers
    assert isinstance(layer, keras.layers.Dropout)

    @tf.function(jit_compile=True)
    def outputs(step):
        values = tf.constant(x)
        named = [
            forward_in_training(run.problem, values, step, {name})
            for name in ("dropout", "dropout_threefry16")
        ]
        seed = run.problem.seed
        return *named, dropout(layer, values, seed, 0, step, generator="philox")

    earlier, now, philox = (values.numpy() for values in outputs(tf.constant(3, tf.int64)))
    np.testing.assert_array_equal(earlier, philox)
    assert not np.array_equal(earlier, now)


# --- its relatives ----------------------------------------------------------------------


@pytest.fixture
def disturbed(runtime):
    """(layer, step, position) -> what becomes of ones (50, 6, 7, 30), compiled by XLA."""
    import keras
    import tensorflow as tf

    from bmtrain.engine.lowerings.table import LOWERINGS

    layers = {
        "spatial": keras.layers.SpatialDropout2D(RATE),
        "gaussian": keras.layers.GaussianDropout(RATE),
        "noise": keras.layers.GaussianNoise(0.5),
    }

    def run(name, step=0, position=1):
        lowering, elsewhere = LOWERINGS[type(layers[name])]
        assert elsewhere.is_random
        assert lowering.slow_on == {"cpu"}

        @tf.function(jit_compile=True)
        def compute(step):
            return lowering.compute(layers[name], tf.ones((50, 6, 7, 30)), 0, position, step)

        return compute(tf.constant(step, tf.int64)).numpy()

    return run


@pytest.mark.parametrize("name", ["spatial", "gaussian", "noise"])
def test_what_is_random_follows_from_layer_and_step(disturbed, name):
    first = disturbed(name, 7)
    np.testing.assert_array_equal(first, disturbed(name, 7))
    assert not np.array_equal(first, disturbed(name, 8))
    assert not np.array_equal(first, disturbed(name, 7, position=2))


def test_spatial_dropout_takes_whole_channels(disturbed):
    dropped = disturbed("spatial")
    of_channels = dropped[:, :1, :1]
    np.testing.assert_array_equal(dropped, np.broadcast_to(of_channels, dropped.shape))
    assert np.mean(of_channels == 0) == pytest.approx(RATE, abs=0.04)
    np.testing.assert_allclose(of_channels[of_channels != 0], 1 / (1 - RATE), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "mean", "variance"), [("gaussian", 1, RATE / (1 - RATE)), ("noise", 1, 0.25)]
)
def test_gaussian_numbers_have_keras_s_mean_and_variance(disturbed, name, mean, variance):
    values = disturbed(name)
    assert values.mean() == pytest.approx(mean, abs=0.01)
    assert values.var() == pytest.approx(variance, rel=0.03)
    beside = np.corrcoef(values[:, :, :-1].ravel(), values[:, :, 1:].ravel())[0, 1]
    assert abs(beside) < 0.01


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ({"type": "spatial_dropout1d", "rate": 0.5}, [5, 8]),
        ({"type": "spatial_dropout2d", "rate": 0.5}, [5, 2, 4]),
        ({"type": "gaussian_dropout", "rate": 0.5}, [40]),
        ({"type": "gaussian_noise", "stddev": 0.5}, [40]),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_training_disturbs_by_step_in_every_engine_and_evaluation_never(
    harness, experiment, dataset, random, layer, shape
):
    """Two trainings end in the same bits, whatever Keras's own generators have drawn between."""
    x = random.normal(size=(20, 40)).astype(np.float32)
    layers = ({"type": "reshape", "target_shape": shape}, layer, {"type": "flatten"})
    config = experiment(*layers, {"type": "dense", "units": 2}, training={"epochs": 2})
    first, second = (harness(config, dataset(x, x[:, :2].copy())) for _ in range(2))
    first.train()
    second.problem.model(x, training=True)
    second.train()
    weights = second.weights()
    for name, values in first.weights().items():
        np.testing.assert_array_equal(values, weights[name])
    plain = x @ weights["layers.3.kernel"] + weights["layers.3.bias"]
    np.testing.assert_allclose(second.evaluator.predict(x), plain, rtol=1e-4, atol=1e-5)
