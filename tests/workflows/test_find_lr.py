"""``bmtrain train --find-lr``: the sweep against Keras's steps, the rule, and nothing left behind."""

import numpy as np
import pytest

from bmtrain.workflows import documents
from bmtrain.workflows.find_lr import (
    DIVERGED,
    HIGHEST,
    LOWEST,
    NUM_STEPS,
    SMOOTHING,
    rate_of,
    smoothed,
    suggested,
)


@pytest.fixture
def found(command, project):
    """(words …) -> the document; in the project, of which nothing may be changed."""

    def run(*words, config="points.yaml"):
        before = sorted(project.rglob("*"))
        ended = command("train", config, "training.engine=graph", *words, "--find-lr", "--json")
        assert ended.exit_code == 0, ended.err
        assert sorted(project.rglob("*")) == before
        return ended.document

    return run


def test_the_rates_rise_exponentially_and_a_rate_is_suggested(found):
    document = found()
    assert set(document) == set(documents.FIND_LR)
    rates = [point["learning_rate"] for point in document["curve"]]
    assert rate_of(0) == LOWEST
    assert rate_of(NUM_STEPS - 1) == pytest.approx(HIGHEST)
    np.testing.assert_allclose(np.diff(np.log(rates)), np.log(HIGHEST / LOWEST) / (NUM_STEPS - 1))
    assert 1e-4 < document["suggestion"] < 1
    assert document["key"] == "optimizer.learning_rate"
    assert found() == document | {"total_s": pytest.approx(document["total_s"], abs=60)}


def test_each_loss_is_that_of_a_step_of_descent_at_its_rate(found, project):
    """Full batch, by hand: θ ← θ − α·∇J(θ) with J = (1/2m)·Σ(h − y)², until it diverges."""
    from bmtrain.config.load import load_config
    from bmtrain.models.layers.building import build_model
    from bmtrain.workflows.preparation import prepare

    document = found(config="line.yaml")
    prepared = prepare(load_config(project / "line.yaml"))
    train = prepared.dataset.splits["train"]
    x = np.column_stack([np.asarray(train.features[:]), np.ones(train.num_examples)])
    largest = np.linalg.eigvalsh(x.T @ x / len(x)).max()
    kernel, bias = build_model(prepared.architecture, seed=prepared.experiment.seed).get_weights()
    theta = np.concatenate([kernel, bias[None]]).astype(np.float64)
    stable = [p for p in document["curve"] if p["learning_rate"] < 2 / largest]
    assert 150 < len(stable) < len(document["curve"])  # beyond, what is rounded off grows, too
    for point in stable:
        errors = x @ theta - train.labels
        assert point["loss"] == pytest.approx((errors**2).mean() / 2, rel=1e-3, abs=1e-7)
        theta -= point["learning_rate"] * x.T @ errors / len(x)


def test_means_are_corrected_for_their_beginning():
    losses = [3.0, 1.0, 2.0]
    first, second = 1.0 * SMOOTHING, 1.0 * SMOOTHING**2
    expected = [3, (3 * first + 1) / (first + 1), (3 * second + first + 2) / (second + first + 1)]
    assert smoothed(losses) == pytest.approx(expected)


def test_a_tenth_of_the_rate_of_the_least_loss_is_suggested_and_none_where_it_never_fell():
    smooth = [2.0] * 150 + [1.0] + [3.0] * 20
    assert suggested(smooth) == pytest.approx(rate_of(150) / 10, rel=0.05)
    assert suggested([1.0, 1.5, 2.0]) is None
    assert suggested([]) is None


def test_the_sweep_ends_where_it_diverges(found):
    curve = found(config="line.yaml")["curve"]
    means = [point["smoothed"] for point in curve]
    assert len(curve) < NUM_STEPS
    assert all(mean <= DIVERGED * min(means[: i + 1]) for i, mean in enumerate(means[:-1]))


def test_the_screen_has_the_curve_the_rule_and_the_next_command(command):
    schedule = "optimizer.learning_rate={name: one_cycle, maximum: 0.1}"
    ended = command("train", "points.yaml", "training.engine=graph", schedule, "--find-lr")
    assert ended.exit_code == 0, ended.err
    assert "a tenth of the rate at which the smoothed loss was least" in " ".join(ended.out.split())
    assert "points.yaml optimizer.learning_rate.maximum=" in ended.out
    assert ended.out.count("e-0") > 10


@pytest.mark.parametrize("words", [["--resume"], ["--run-dir", "x"], ["--smoke"]])
def test_what_makes_no_sense_with_it_is_a_usage_error(command, words):
    ended = command("train", "points.yaml", "--find-lr", *words)
    assert ended.exit_code == 2
    assert "trains for itself" in ended.err


def test_what_fails_has_the_same_keys(command):
    failed = command("train", "points.yaml", "training.epochs=0", "--find-lr", "--json").document
    assert set(failed) == set(documents.FIND_LR)
