"""Many steps per call: how they are grouped never shows, and nothing is compiled twice."""

import numpy as np
import pytest

from bmtrain.data.splits.order import epoch_order

NUM_EXAMPLES, BATCH_SIZE = 53, 8  # six full steps and a short one


@pytest.fixture
def run(harness, experiment, dataset, random):
    """(mode, steps_per_call) -> Harness of a model with dropout and batch normalisation."""
    x = random.normal(size=(NUM_EXAMPLES, 4)).astype(np.float32)
    labels = (x[:, 0] > 0).astype(np.int32)
    layers = (
        {"type": "dense", "units": 5, "activation": "relu"},
        {"type": "batch_normalization"},
        {"type": "dropout", "rate": 0.4},
        {"type": "dense", "units": 2, "activation": "softmax"},
    )

    def make(mode="graph", steps_per_call="auto", *, num_examples=NUM_EXAMPLES, **training):
        config = experiment(
            *layers,
            loss={"name": "sparse_categorical_crossentropy"},
            metrics=["accuracy"],
            optimizer={"name": "adam"},
            regularization={"l2_lambda": 0.5},
            training={"epochs": 3, "batch_size": BATCH_SIZE, "steps_per_call": steps_per_call}
            | training,
        )
        train = x[:num_examples], labels[:num_examples]
        return harness(config, dataset(*train, validation=(x[:11], labels[:11])), mode=mode)

    return make


def test_how_steps_are_grouped_into_calls_changes_no_bit(run):
    reference = run("graph", 1)
    expected = [(e.train, e.validation) for e in reference.train()]
    for steps_per_call in (4, 1000):
        other = run("graph", steps_per_call)
        assert [(e.train, e.validation) for e in other.train()] == expected
        for name, value in other.weights().items():
            assert value.tobytes() == reference.weights()[name].tobytes(), name


AUGMENTATION = ({"type": "noise", "stddev": 0.3}, {"type": "dropout", "rate": 0.2})


@pytest.mark.long
def test_calls_do_not_show_in_what_becomes_of_an_example_either(run):
    reference = run("graph", 1, augmentation=AUGMENTATION)
    plain = run("graph", 1)
    expected = [e.train for e in reference.train()]
    assert expected != [e.train for e in plain.train()]
    other = run("graph", 4, augmentation=AUGMENTATION)
    assert [e.train for e in other.train()] == expected
    for name, value in other.weights().items():
        assert value.tobytes() == reference.weights()[name].tobytes(), name


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_full_batch_short_batch_and_evaluation_are_traced_once_each(run, mode):
    harness = run(mode, 2)
    harness.train()
    order = epoch_order(NUM_EXAMPLES, seed=0, epoch=9)
    sums = np.zeros(harness.steps.num_sums)
    for bounds in (range(1), range(1, 5), range(2, 7)):
        harness.steps.run(order, bounds, 100, sums)
    harness.evaluator.predict(np.zeros((3, 4), np.float32))
    harness.evaluator.predict(np.zeros((3000, 4), np.float32))
    assert harness.steps.trace_counts == {"full": 1, "short": 1}
    assert harness.evaluator.trace_counts == {"evaluate": 1, "predict": 1}


def test_warming_up_compiles_all_and_runs_nothing(run):
    harness = run()
    before = harness.weights()
    harness.steps.warm_up(NUM_EXAMPLES)
    assert harness.steps.trace_counts == {"full": 1, "short": 1}
    assert all(np.array_equal(before[n], value) for n, value in harness.weights().items())
    assert int(harness.problem.optimizer.iterations.value) == 0
    harness.train()
    assert harness.steps.trace_counts == {"full": 1, "short": 1}


@pytest.mark.parametrize(("num_examples", "full", "short"), [(48, 1, 0), (5, 1, 0), (53, 1, 1)])
def test_a_short_batch_is_compiled_only_where_there_is_one(run, num_examples, full, short):
    harness = run(num_examples=num_examples)
    harness.steps.warm_up(num_examples)
    harness.train()
    assert harness.steps.trace_counts == {"full": full, "short": short}
    assert harness.steps.steps_per_epoch == -(-num_examples // BATCH_SIZE)


def test_running_means_weight_the_short_batch_by_its_size(harness, experiment, dataset):
    """Inputs 0 to 6 in batches of 4 and 3 under α → 0: the mean over all 7, not of two means."""
    x = np.arange(7, dtype=np.float32)[:, None]
    config = experiment(
        {"type": "dense", "units": 1, "kernel_initializer": "ones"},
        optimizer={"name": "gradient_descent", "learning_rate": 1e-30},
        metrics=["mean_absolute_error", "root_mean_squared_error"],
        training={"epochs": 1, "batch_size": 4},
    )
    (epoch,) = harness(config, dataset(x, np.zeros((7, 1), np.float32))).train()
    assert epoch.train["loss"] == pytest.approx(0.5 * np.mean(x**2), rel=1e-6)
    assert epoch.train["mean_absolute_error"] == pytest.approx(3.0, rel=1e-6)
    assert epoch.train["root_mean_squared_error"] == pytest.approx(np.sqrt(13), rel=1e-6)


def test_masks_follow_the_step_of_the_whole_training(harness, experiment, dataset, random):
    """The same rows in another epoch are masked anew; at the same step they are masked alike."""
    x = random.normal(size=(16, 30)).astype(np.float32)
    config = experiment(
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 1},
        optimizer={"name": "gradient_descent", "learning_rate": 1e-30},
        training={"epochs": 1, "batch_size": 8},
    )
    run = harness(config, dataset(x, np.zeros((16, 1), np.float32)))

    def loss(first_row, step, first_step):
        order = np.roll(np.arange(16, dtype=np.int32), 8 * step - first_row)
        result = run.steps.run(order, range(step, step + 1), first_step, np.zeros(3))
        return result.sums[1]

    assert loss(0, 0, 0) != loss(0, 0, 2) != loss(0, 0, 4)
    assert loss(0, 1, 0) == loss(0, 0, 1)
    assert loss(8, 1, 10) == loss(8, 0, 11)


def test_resident_data_keeps_its_dtype(harness, experiment, dataset):
    data = dataset(np.zeros((4, 3), np.uint8), np.zeros((4, 1), np.float32))
    run = harness(experiment({"type": "dense", "units": 1}), data, normalize="auto")
    assert run.steps._feed.blank().dtype.name == "uint8"


@pytest.mark.parametrize("batch_size", [4, 3])
def test_a_loss_that_is_not_finite_stops_the_call_at_its_step(
    harness, experiment, dataset, batch_size
):
    """Each step multiplies the error by about 1 − α·x²: with α·x² = 1e10 it overflows soon."""
    from bmtrain.errors import TrainingDiverged

    x = np.full((20, 1), 1e5, np.float32)
    config = experiment(
        {"type": "dense", "units": 1, "kernel_initializer": "ones"},
        optimizer={"name": "gradient_descent", "learning_rate": 1.0},
        training={"epochs": 50, "batch_size": batch_size, "steps_per_call": 4},
    )
    run = harness(config, dataset(x, np.zeros((20, 1), np.float32)))
    w, step = np.float32(1), 0
    with np.errstate(over="ignore"):
        while np.isfinite(0.5 * (np.float32(1e5) * w) ** 2):
            # One factor per step; the bias is left out, it is 1e10 times smaller.
            w, step = w - np.float32(1e10) * w, step + 1
    with pytest.raises(TrainingDiverged, match=rf"not finite at step {step + 1} ") as caught:
        run.train()
    assert caught.value.exit_code == 5
    assert "learning_rate" in str(caught.value)


def test_weights_that_are_not_finite_are_seen_though_the_loss_still_was(
    harness, experiment, dataset
):
    """The gradient of one step overflows; no later step shows it in the loss."""
    from bmtrain.errors import TrainingDiverged

    x = np.full((4, 1), 1e15, np.float32)
    config = experiment(
        {"type": "dense", "units": 1, "kernel_initializer": "ones"},
        optimizer={"name": "gradient_descent", "learning_rate": 1e30},
        training={"epochs": 1, "batch_size": "full"},
    )
    run = harness(config, dataset(x, np.zeros((4, 1), np.float32)))
    with pytest.raises(TrainingDiverged, match="the weights are not finite at step 1 "):
        run.train()
