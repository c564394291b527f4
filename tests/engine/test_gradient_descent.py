"""One step of gradient descent against arithmetic by hand and against NumPy's own gradients."""

import numpy as np
import pytest
from scipy.special import softmax

LINEAR = {"type": "dense", "units": 1, "kernel_initializer": "ones"}
FULL = {"epochs": 1, "batch_size": "full"}


def descent(alpha):
    return {"name": "gradient_descent", "learning_rate": alpha}


def test_one_step_by_hand(harness, experiment, dataset):
    """H(x) = 1·x + 0 on (1, 3) and (2, 5): errors −2 and −3.

    ∂J/∂w = (1·−2 + 2·−3)/2 = −4, ∂J/∂b = (−2 − 3)/2 = −2.5; with α = 0.1 and
    J = (4 + 9)/(2·2) = 3.25: w = 1 + 0.4, b = 0.25.
    """
    data = dataset(np.array([[1], [2]], np.float32), np.array([[3], [5]], np.float32))
    config = experiment(LINEAR, optimizer=descent(0.1), training=FULL)
    run = harness(config, data)
    (epoch,) = run.train()
    assert epoch.train["loss"] == pytest.approx(3.25, abs=1e-6)
    weights = run.weights()
    assert weights["layers.0.kernel"].item() == pytest.approx(1.4, abs=1e-6)
    assert weights["layers.0.bias"].item() == pytest.approx(0.25, abs=1e-6)


def test_one_step_by_hand_with_the_mean_convention_of_l2(harness, experiment, dataset):
    """The penalty λ/(2m)·w² adds λ/m·w = 3/2·1 to ∂J/∂w = −4, and nothing to ∂J/∂b."""
    data = dataset(np.array([[1], [2]], np.float32), np.array([[3], [5]], np.float32))
    config = experiment(
        LINEAR, optimizer=descent(0.1), training=FULL, regularization={"l2_lambda": 3.0}
    )
    run = harness(config, data)
    (epoch,) = run.train()
    assert epoch.train["penalty"] == pytest.approx(3 / (2 * 2), abs=1e-6)
    assert epoch.train["objective"] == pytest.approx(3.25 + 0.75, abs=1e-6)
    assert run.weights()["layers.0.kernel"].item() == pytest.approx(1.25, abs=1e-6)
    assert run.weights()["layers.0.bias"].item() == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_a_linear_layer_follows_the_gradient_of_half_the_squared_error(
    harness, experiment, dataset, random, num_outputs
):
    """∇W = Xᵀ(XW + b − Y)/m + λ/m·W, ∇b = 1ᵀ(XW + b − Y)/m, over several steps."""
    m, alpha, l2_lambda = 20, 0.2, 2.5
    x = random.normal(size=(m, 3)).astype(np.float32)
    y = random.normal(size=(m, num_outputs)).astype(np.float32)
    config = experiment(
        {"type": "dense", "units": num_outputs},
        optimizer=descent(alpha),
        training=FULL | {"epochs": 5},
        regularization={"l2_lambda": l2_lambda},
    )
    run = harness(config, dataset(x, y))
    w = run.weights()["layers.0.kernel"].astype(np.float64)
    b = np.zeros(num_outputs)
    for epoch in run.train():
        error = x @ w + b - y
        expected = 0.5 * np.sum(error**2) / m
        assert epoch.train["loss"] == pytest.approx(expected, rel=1e-5)
        assert epoch.train["penalty"] == pytest.approx(l2_lambda / (2 * m) * np.sum(w**2), rel=1e-5)
        w -= alpha * (x.T @ error / m + l2_lambda / m * w)
        b -= alpha * error.mean(axis=0)
    np.testing.assert_allclose(run.weights()["layers.0.kernel"], w, atol=1e-5)
    np.testing.assert_allclose(run.weights()["layers.0.bias"], b, atol=1e-5)


def test_backpropagation_through_a_hidden_layer_follows_the_formula(
    harness, experiment, dataset, random
):
    """Softmax cross-entropy after a tanh layer: δ₂ = (p − t)/m, δ₁ = δ₂W₂ᵀ ⊙ (1 − a²)."""
    m, alpha = 30, 0.3
    x = random.normal(size=(m, 4)).astype(np.float32)
    labels = random.integers(0, 3, m).astype(np.int32)
    config = experiment(
        {"type": "dense", "units": 5, "activation": "tanh"},
        {"type": "dense", "units": 3, "activation": "softmax"},
        loss={"name": "sparse_categorical_crossentropy"},
        optimizer=descent(alpha),
        training=FULL,
    )
    run = harness(config, dataset(x, labels))
    w1, b1, w2, b2 = (value.astype(np.float64) for value in run.weights().values())
    a = np.tanh(x @ w1 + b1)
    p = softmax(a @ w2 + b2, axis=1)
    delta_2 = (p - np.eye(3)[labels]) / m
    delta_1 = (delta_2 @ w2.T) * (1 - a**2)
    expected = [
        w1 - alpha * x.T @ delta_1,
        b1 - alpha * delta_1.sum(axis=0),
        w2 - alpha * a.T @ delta_2,
        b2 - alpha * delta_2.sum(axis=0),
    ]
    (epoch,) = run.train()
    assert epoch.train["loss"] == pytest.approx(-np.log(p[np.arange(m), labels]).mean(), rel=1e-5)
    for value, wanted in zip(run.weights().values(), expected, strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-6)


def test_the_half_convention_decays_weights_by_alpha_times_lambda(
    harness, experiment, dataset, random
):
    """W ← w − α(∇ + λw), the decay of PyTorch's weight_decay; here ∇ = 0, since x = 0."""
    alpha, l2_lambda = 0.1, 0.5
    data = dataset(np.zeros((8, 3), np.float32), np.ones((8, 2), np.float32))
    config = experiment(
        {"type": "dense", "units": 2, "bias_initializer": "ones"},
        optimizer=descent(alpha),
        training=FULL | {"epochs": 3},
        regularization={"l2_lambda": l2_lambda, "l2_convention": "half"},
    )
    run = harness(config, data)
    before = run.weights()
    run.train()
    after = run.weights()
    decayed = before["layers.0.kernel"] * (1 - alpha * l2_lambda) ** 3
    np.testing.assert_allclose(after["layers.0.kernel"], decayed, rtol=1e-5)
    np.testing.assert_array_equal(after["layers.0.bias"], before["layers.0.bias"])


def test_biases_gammas_and_betas_are_not_decayed(harness, experiment, dataset):
    """Where the data asks for nothing, a large λ moves kernels alone."""
    data = dataset(np.zeros((8, 3), np.float32), np.zeros((8, 2), np.float32))
    config = experiment(
        {"type": "batch_normalization"},
        {"type": "layer_normalization"},
        {"type": "dense", "units": 2},
        optimizer=descent(0.1),
        training=FULL,
        regularization={"l2_lambda": 1.0, "l2_convention": "sum"},
    )
    run = harness(config, data)
    before = run.weights()
    run.train()
    after = run.weights()
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    assert moved == {"layers.2.kernel", "layers.0.moving_variance"}
