"""Clipping, accumulation, decay and averages in the compiled loop, against ``keras.Model.fit``."""

from typing import Any

import numpy as np
import pytest

from bmtrain.data.splits.order import epoch_order

NUM_EXAMPLES, BATCH_SIZE, EPOCHS = 75, 10, 3
VOCABULARY, LENGTH = 12, 5

CASES: dict[str, dict[str, Any]] = {
    "decayed": {"weight_decay": 0.05},
    "accumulated": {"gradient_accumulation_steps": 3},  # 24 steps; 8 an epoch: over its end, too
    "averaged": {"use_ema": True, "ema_momentum": 0.7},
    "all": {
        "weight_decay": 0.05, "clipnorm": 0.1, "gradient_accumulation_steps": 3,
        "use_ema": True, "ema_momentum": 0.7,
    },
}  # fmt: skip


@pytest.fixture
def tokens(random):
    features = random.integers(0, VOCABULARY, (NUM_EXAMPLES, LENGTH)).astype(np.uint16)
    return features, (features.sum(axis=1) % 3).astype(np.int32)


@pytest.fixture
def run(harness, experiment, text_dataset, tokens):
    """(optimizer, mode) -> a harness of a model whose embedding has gradients of rows."""

    def make(optimizer, mode):
        config = experiment(
            {"type": "embedding", "output_dim": 4},
            {"type": "flatten"},
            {"type": "dense", "units": 3, "activation": "softmax"},
            loss={"name": "sparse_categorical_crossentropy"},
            metrics=["accuracy"],
            optimizer=optimizer,
            training={"epochs": EPOCHS, "batch_size": BATCH_SIZE},
        )
        data = text_dataset(*tokens, vocabulary_size=VOCABULARY, validation=tokens)
        return harness(config, data, mode=mode)

    return make


def fit(initial, features, labels, optimizer):
    """The model as ``fit`` leaves it, and its weights before it puts the averages in their place."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(VOCABULARY, 4),
            keras.layers.Flatten(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.set_weights(initial)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    present, averaged = [], initial
    for epoch in range(EPOCHS):
        order = epoch_order(NUM_EXAMPLES, seed=0, epoch=epoch)
        keep = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda *_: present.append(model.get_weights())
        )
        model.fit(
            features[order], labels[order], batch_size=BATCH_SIZE, shuffle=False, verbose=0,
            callbacks=[keep],
        )  # fmt: skip
        averaged = model.get_weights()
        if epoch + 1 < EPOCHS:  # fit ends in the averages, and we go on
            model.set_weights(present[-1])
    model.set_weights(averaged)
    return model, present[-1]


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        pytest.param(case, mode, marks=[] if (case, mode) == ("all", "graph") else pytest.mark.long)
        for case in sorted(CASES)
        for mode in ("graph", "xla")
    ],
)
def test_an_option_ends_in_fits_weights_and_is_judged_by_its_averages(run, tokens, case, mode):
    import keras

    ours = run({"name": "adam", "learning_rate": 0.02, **CASES[case]}, mode)
    initial = list(ours.weights().values())
    *_, last = ours.train()
    oracle = keras.optimizers.Adam(0.02, **CASES[case])
    features, labels = tokens[0].astype(np.int32), tokens[1]
    model, present = fit(initial, features, labels, oracle)

    for value, weights in zip(ours.weights().values(), present, strict=True):
        np.testing.assert_allclose(value, weights, atol=2e-5)
    loss, accuracy = model.evaluate(features, labels, verbose=0)
    assert last.validation["loss"] == pytest.approx(loss, abs=2e-5)
    assert last.validation["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert set(ours.steps.trace_counts.values()) == {1}
    averages = [average.value.numpy() for _, average in ours.problem.averages]
    assert len(averages) == (3 if "use_ema" in CASES[case] else 0)
    for average, weights in zip(averages, model.get_weights()):  # noqa: B905  # none without
        np.testing.assert_allclose(average, weights, atol=2e-5)


@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_rows_of_an_embedding_are_added_up_before_their_norm_is_taken(run, mode):
    """A step of sgd is as long as the clipped gradient; Keras takes each use's row as one more."""
    ours = run({"name": "sgd", "learning_rate": 0.5, "global_clipnorm": 1e-3}, mode)
    before = ours.weights()
    sums = np.zeros(ours.steps.num_sums)
    ours.steps.run(np.arange(NUM_EXAMPLES, dtype=np.int32), range(1), 0, sums)
    after = ours.weights()
    squares = [np.square(after[name].astype(np.float64) - before[name]).sum() for name in before]
    assert np.sqrt(sum(squares)) == pytest.approx(0.5 * 1e-3, rel=1e-3)


@pytest.mark.long
def test_without_the_averages_the_figures_are_others(run):
    """They are: else the test above would not see that they are judged."""
    ours = run({"name": "adam", "learning_rate": 0.02, "use_ema": True}, "graph")
    *_, last = ours.train()
    *_, present = run({"name": "adam", "learning_rate": 0.02}, "graph").train()
    assert last.train == present.train
    assert abs(last.validation["loss"] - present.validation["loss"]) > 1e-3


def test_accumulated_gradients_of_equal_batches_are_those_of_one_large_one(
    harness, experiment, dataset, random
):
    """The mean of three batches' means; sgd knows of nothing else."""
    x = random.normal(size=(36, 3)).astype(np.float32)
    y = random.normal(size=(36, 2)).astype(np.float32)

    def weights(batch_size, **options):
        config = experiment(
            {"type": "dense", "units": 2},
            loss={"name": "mean_squared_error"},
            optimizer={"name": "sgd", "learning_rate": 0.1, **options},
            training={"epochs": 4, "batch_size": batch_size},
        )
        trained = harness(config, dataset(x, y))
        trained.train()
        return trained.weights()

    small, large = weights(6, gradient_accumulation_steps=3), weights(18)
    for name, value in small.items():
        np.testing.assert_allclose(value, large[name], atol=1e-6, err_msg=name)
