"""Clipping, accumulation, averages and all else at once, through the real commands."""

import pytest
import safetensors.numpy

from tests.workflows.resumed_runs import bits, log_but_times

AVERAGED = ("optimizer.use_ema=true", "optimizer.ema_momentum=0.8")
ALL = (
    *AVERAGED,
    "optimizer.weight_decay=0.01",
    "optimizer.exclude_from_weight_decay=[bias, beta]",
    "optimizer.global_clipnorm=0.5",
    "optimizer.gradient_accumulation_steps=5",
    "optimizer.learning_rate={name: one_cycle, maximum: 0.05}",
    "loss.label_smoothing=0.1",
    "training.augmentation=[{type: noise, stddev: 0.1}]",
    "training.early_stopping={patience: 2}",
)


@pytest.mark.parametrize(
    "num_calls",
    [pytest.param(2, marks=pytest.mark.long), 31, pytest.param(48, marks=pytest.mark.long)],
)
def test_all_at_once_goes_on_where_it_was_interrupted(interrupted, command, run_of, num_calls):
    """In the middle of five accumulated steps, too."""
    path = interrupted(num_calls, *ALL)
    whole = run_of(*ALL)
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)


def test_the_model_of_a_checkpoint_is_the_average_and_the_weights_are_with_the_optimizer(
    run_of, command
):
    """One step per epoch and momentum 0: the average is what the weights are."""
    run = run_of(*AVERAGED, "training.epochs=4")
    checkpoint = run.checkpoint("checkpoint")
    model = safetensors.numpy.load_file(checkpoint / "model.safetensors")
    optimizer = safetensors.numpy.load_file(checkpoint / "optimizer.safetensors")
    kernel = model["layers.0.kernel"]
    alike = [value for value in optimizer.values() if value.shape == kernel.shape]
    assert len(alike) == 3  # the weights, and adam's two
    weights = max(alike, key=lambda value: (value * kernel).sum())
    assert 1e-4 < abs(weights - kernel).max() < 0.5

    train_again = run_of("training.epochs=4")  # averages change nothing in what is trained
    plain = safetensors.numpy.load_file(train_again.checkpoint() / "model.safetensors")
    assert any((value == plain["layers.0.kernel"]).all() for value in alike)


def test_eval_predict_and_export_judge_the_average(run_of, command, tmp_path):
    run = run_of(*AVERAGED)
    ended = command("eval", run.path, "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["metrics"] == run.summary["metrics"]["test"]
    ended = command("export", run.path, "--to", "keras", "-o", tmp_path / "a.keras", "--json")
    assert ended.exit_code == 0, ended.err


def test_more_accumulated_steps_than_the_training_has_are_an_error_with_its_place(command, project):
    config = project / "points.yaml"
    ended = command("train", config, "optimizer.gradient_accumulation_steps=73", "--json")
    assert ended.exit_code == 3
    (told,) = ended.document["diagnostics"]
    assert told["key"] == "optimizer.gradient_accumulation_steps"
    assert told["message"] == "expected at most the training's 72 steps, got 73"
