"""Full-batch descent with L2, through the real command, against scikit-learn's ridge regression."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.linear_model import Ridge

L2_LAMBDA = 7.0


@pytest.fixture(scope="module")
def line(trained):
    return trained("ridge", f"regularization.l2_lambda={L2_LAMBDA}", config="line.yaml")


@pytest.mark.long
def test_full_batch_descent_with_l2_reaches_the_ridge_solution(line, project):
    assert line.ended.exit_code == 0, line.ended.err
    table = np.loadtxt(project / "line.csv", delimiter=",", skiprows=1)
    x, y = table[:, :3], table[:, 3]
    ridge = Ridge(alpha=L2_LAMBDA).fit(x, y)
    plain = Ridge(alpha=0).fit(x, y)
    assert np.abs(ridge.coef_ - plain.coef_).max() > 0.05  # λ is at work

    weights = load_file(line.checkpoint() / "model.safetensors")
    np.testing.assert_allclose(weights["layers.0.kernel"][:, 0], ridge.coef_, atol=1e-4)
    np.testing.assert_allclose(weights["layers.0.bias"][0], ridge.intercept_, atol=1e-4)

    figures = line.summary["metrics"]["train"]
    m, error = len(y), ridge.predict(x) - y
    assert figures["loss"] == pytest.approx(error @ error / (2 * m), rel=1e-4)
    assert figures["penalty"] == pytest.approx(
        L2_LAMBDA / (2 * m) * ridge.coef_ @ ridge.coef_, rel=1e-4
    )
    assert figures["objective"] == pytest.approx(figures["loss"] + figures["penalty"], rel=1e-12)


def test_full_batch_descent_is_one_step_per_epoch_over_the_whole_split(line):
    assert line.summary["steps_completed"] == line.summary["epochs_completed"] == 200
    assert line.epochs[0]["step"] == 1


def test_the_keras_equivalent_of_lambda_is_told(line):
    log = (line.path / "log.txt").read_text()
    assert f"keras.regularizers.L2({L2_LAMBDA / 120:.3g})" in log
