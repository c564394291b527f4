"""Penalties and constraints of single layers do what Keras's do, step by step."""

import numpy as np
import pytest

PICTURES = (6, 6, 2)
REGULARIZER = {"l1": 0.01, "l2": 0.1}
#: Short enough that it binds in every step.
CONSTRAINT = {"max_norm": 0.6}


def layers(*, regularized, constrained):
    """Every kind of layer that takes them."""

    def terms(*names):
        found = {f"{name}_regularizer": REGULARIZER for name in names if regularized}
        return found | {f"{name}_constraint": CONSTRAINT for name in names if constrained}

    return [
        {"type": "conv2d", "filters": 3, "kernel_size": 2, **terms("kernel")},
        {"type": "depthwise_conv2d", "kernel_size": 2, "depth_multiplier": 2, **terms("depthwise")},
        {
            "type": "separable_conv2d",
            "filters": 4,
            "kernel_size": 2,
            **terms("depthwise", "pointwise"),
        },
        {"type": "reshape", "target_shape": [9, 4]},
        {"type": "conv1d", "filters": 3, "kernel_size": 3, **terms("kernel")},
        {"type": "flatten"},
        {"type": "dense", "units": 2, **terms("kernel")},
    ]


def twin(keras, weights, *, regularized, constrained):
    """The same written by hand, with Keras's own axes."""

    def terms(**axes):
        found = {
            f"{name}_regularizer": keras.regularizers.L1L2(**REGULARIZER)
            for name in axes
            if regularized
        }
        return found | {
            f"{name}_constraint": keras.constraints.MaxNorm(CONSTRAINT["max_norm"], axis=axis)
            for name, axis in axes.items()
            if constrained
        }

    model = keras.Sequential(
        [
            keras.Input(PICTURES),
            keras.layers.Conv2D(3, 2, **terms(kernel=[0, 1, 2])),
            keras.layers.DepthwiseConv2D(2, depth_multiplier=2, **terms(depthwise=[0, 1])),
            keras.layers.SeparableConv2D(4, 2, **terms(depthwise=[0, 1], pointwise=[0, 1, 2])),
            keras.layers.Reshape((9, 4)),
            keras.layers.Conv1D(3, 3, **terms(kernel=[0, 1])),
            keras.layers.Flatten(),
            keras.layers.Dense(2, **terms(kernel=0)),
        ]
    )
    model.set_weights(weights)
    model.compile(keras.optimizers.SGD(0.05), "mean_squared_error")
    return model


@pytest.fixture
def made(harness, experiment, dataset, random):
    """(mode, which terms) -> a harness of two epochs, and its examples."""
    x = random.normal(size=(20, *PICTURES)).astype(np.float32)
    y = random.normal(size=(20, 2)).astype(np.float32)
    data = dataset(x, y)

    def make(mode, **which):
        config = experiment(
            *layers(**which),
            loss={"name": "mean_squared_error"},
            optimizer={"name": "sgd", "learning_rate": 0.05},
            training={"epochs": 2, "batch_size": "full", "threads": 1},
        )
        return harness(config, data, mode=mode), data.splits["train"]

    return make


@pytest.mark.parametrize("which", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("mode", ["graph", pytest.param("xla", marks=pytest.mark.long)])
def test_training_is_that_of_keras(made, mode, which):
    import keras

    regularized, constrained = which
    run, split = made(mode, regularized=regularized, constrained=constrained)
    weights = run.problem.model.get_weights()
    reference = twin(keras, weights, regularized=regularized, constrained=constrained)
    epochs = run.train()
    for epoch in epochs:
        told = reference.train_on_batch(split.features, split.labels)
        assert epoch.train["objective"] == pytest.approx(float(told), rel=1e-5)
    for one, other in zip(run.problem.model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert (epochs[0].train["penalty"] > 0) == regularized


def test_the_penalty_is_l1_and_l2_of_the_kernels_alone(made):
    run, split = made("graph", regularized=True, constrained=False)
    kernels = [v for name, v in run.weights().items() if name.endswith("kernel")]
    assert len(kernels) == 6
    by_hand = sum(0.01 * np.abs(w).sum() + 0.1 * np.square(w).sum() for w in kernels)
    assert float(run.problem.penalty().numpy()) == pytest.approx(by_hand, rel=1e-5)
    figures = run.evaluator.evaluate(split).figures
    assert figures["penalty"] == pytest.approx(by_hand, rel=1e-5)
    assert figures["objective"] == pytest.approx(figures["loss"] + by_hand, rel=1e-5)


def test_it_comes_on_top_of_the_penalty_over_all_kernels(harness, experiment, dataset, random):
    x = random.normal(size=(10, 3)).astype(np.float32)
    layer = {"type": "dense", "units": 2, "kernel_regularizer": {"l1": 1}}
    config = experiment(layer, regularization={"l2_lambda": 3, "l2_convention": "sum"})
    run = harness(config, dataset(x, x[:, :2].copy()))
    kernel = run.weights()["layers.0.kernel"]
    expected = np.abs(kernel).sum() + 3 * np.square(kernel).sum()
    assert float(run.problem.penalty().numpy()) == pytest.approx(expected, rel=1e-5)


def test_no_output_has_longer_weights_than_its_constraint(made):
    run, _ = made("xla", regularized=False, constrained=True)
    run.train()
    weights = run.weights()
    longest = {
        "layers.0.kernel": (0, 1, 2),
        "layers.1.kernel": (0, 1),
        "layers.2.depthwise_kernel": (0, 1),
        "layers.2.pointwise_kernel": (0, 1, 2),
        "layers.4.kernel": (0, 1),
        "layers.6.kernel": 0,
    }
    for name, axes in longest.items():
        lengths = np.sqrt(np.square(weights[name]).sum(axis=axes))
        assert lengths.max() <= CONSTRAINT["max_norm"] * (1 + 1e-5), name


# --- sequences --------------------------------------------------------------------------

STEPS = (6, 3)
TERMS = {"regularizer": REGULARIZER, "constraint": CONSTRAINT}


def both_terms(*names):
    return {f"{name}_{term}": value for name in names for term, value in TERMS.items()}


def sequence_layers():
    recurrent = {"return_sequences": True, **both_terms("kernel", "recurrent")}
    separable = both_terms("depthwise", "pointwise")
    return [
        {"type": "depthwise_conv1d", "kernel_size": 2, **both_terms("depthwise")},
        {"type": "separable_conv1d", "filters": 3, "kernel_size": 2, **separable},
        {"type": "lstm", "units": 3, **recurrent},
        {"type": "gru", "units": 2, **recurrent},
        {"type": "bidirectional", "layer": {"type": "simple_rnn", "units": 2, **recurrent}},
        {"type": "flatten"},
        {"type": "dense", "units": 2},
    ]


def sequence_twin(keras, weights):
    def terms(**axes):
        made = {
            f"{name}_constraint": keras.constraints.MaxNorm(CONSTRAINT["max_norm"], axis=axis)
            for name, axis in axes.items()
        }
        return made | {
            f"{name}_regularizer": keras.regularizers.L1L2(**REGULARIZER) for name in axes
        }

    recurrent = {"return_sequences": True, **terms(kernel=0, recurrent=0)}
    separable = terms(depthwise=0, pointwise=[0, 1])
    model = keras.Sequential(
        [
            keras.Input(STEPS),
            keras.layers.DepthwiseConv1D(2, **terms(depthwise=0)),
            keras.layers.SeparableConv1D(3, 2, **separable),
            keras.layers.LSTM(3, **recurrent),
            keras.layers.GRU(2, **recurrent),
            keras.layers.Bidirectional(keras.layers.SimpleRNN(2, **recurrent)),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    model.set_weights(weights)
    model.compile(keras.optimizers.SGD(0.05), "mean_squared_error")
    return model


@pytest.mark.long
@pytest.mark.parametrize("mode", ["graph", "xla"])
def test_training_on_sequences_is_that_of_keras(harness, experiment, dataset, random, mode):
    import keras

    x = random.normal(size=(12, *STEPS)).astype(np.float32)
    y = random.normal(size=(12, 2)).astype(np.float32)
    config = experiment(
        *sequence_layers(),
        loss={"name": "mean_squared_error"},
        optimizer={"name": "sgd", "learning_rate": 0.05},
        training={"epochs": 2, "batch_size": "full", "threads": 1},
    )
    run = harness(config, dataset(x, y), mode=mode)
    reference = sequence_twin(keras, run.problem.model.get_weights())
    for epoch in run.train():
        assert epoch.train["objective"] == pytest.approx(
            float(reference.train_on_batch(x, y)), rel=1e-5
        )
    for one, other in zip(run.problem.model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


#: What Keras has in one argument for kernels of other shapes, and what stands for several layers.
OF_TOKENS = {
    "embedding": ("embeddings", {"output_dim": 4, "mask_zero": True}),
    "multi_head_attention": ("kernel", {"num_heads": 2, "key_dim": 3}),
    "transformer_block": ("kernel", {"num_heads": 2, "intermediate_dim": 5}),
}


@pytest.fixture
def one_step(harness, experiment, text_dataset, random):
    """(which term, of all layers) -> the weights before and after one step of full-batch descent."""
    tokens = random.integers(1, 6, size=(9, 5)).astype(np.uint16)
    data = text_dataset(tokens, np.arange(9, dtype=np.int32) % 3, vocabulary_size=6)

    def make(term=None):
        layers = [
            {"type": kind, **more, **({f"{of}_{term}": TERMS[term]} if term else {})}
            for kind, (of, more) in OF_TOKENS.items()
        ]
        config = experiment(
            *layers,
            {"type": "global_average_pooling1d"},
            {"type": "dense", "units": 3, "activation": "softmax"},
            loss={"name": "sparse_categorical_crossentropy"},
            optimizer={"name": "gradient_descent", "learning_rate": 0.1},
            training={"epochs": 1, "batch_size": "full", "threads": 1},
        )
        run = harness(config, data)
        before = run.weights()
        run.train()
        return before, run.weights()

    return make


@pytest.mark.long
def test_attention_blocks_and_embeddings_take_them_as_their_formulas_say(one_step):
    before, plain = one_step()
    _, penalised = one_step("regularizer")
    _, bounded = one_step("constraint")
    last = f"layers.{max(int(name.split('.')[1]) for name in before)}."
    changed = 0
    for name, old in before.items():
        is_own = name.endswith(("kernel", "embeddings")) and not name.startswith(last)
        changed += is_own
        gradient = 0.01 * np.sign(old) + 2 * 0.1 * old if is_own else 0
        np.testing.assert_allclose(
            penalised[name], plain[name] - 0.1 * gradient, atol=1e-6, err_msg=name
        )
        axes = (0, 1) if name.endswith("attention_output.kernel") else 0
        axes = 1 if name.endswith("embeddings") else axes
        lengths = np.sqrt(np.square(plain[name]).sum(axis=axes, keepdims=True))
        shorter = plain[name] * np.minimum(1, CONSTRAINT["max_norm"] / lengths) if is_own else None
        expected = plain[name] if shorter is None else shorter
        np.testing.assert_allclose(bounded[name], expected, atol=1e-6, err_msg=name)
    assert changed == 1 + 4 + (4 + 2)
