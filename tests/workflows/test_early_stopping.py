"""Early stopping through the command: which weights are kept, judged and named."""

import numpy as np
import pytest
from safetensors.numpy import load_file

# A learning rate that overshoots now and then, so that the best epoch is not the last.
OVERSHOOTING = ("optimizer.learning_rate=0.5", "training.epochs=40", "model.dropout=0")


def stopping(**settings):
    return (
        f"training.early_stopping={settings}".replace("'", "")
        .replace("True", "true")
        .replace("False", "false")
    )


def best_of(run, figure="loss", pick=np.argmin):
    values = [line["validation"][figure] for line in run.epochs]
    return run.epochs[int(pick(values))]


@pytest.fixture
def stopped(train):
    run = train(*OVERSHOOTING, stopping(patience=3))
    assert run.ended.exit_code == 0, run.ended.err
    return run


def test_training_stops_patience_epochs_after_the_best(stopped):
    best = best_of(stopped)
    assert stopped.summary["epochs_completed"] == best["epoch"] + 3 < 40
    assert len(stopped.epochs) == best["epoch"] + 3
    assert "StoppedEarly" in (stopped.path / "log.txt").read_text()


def test_the_best_epochs_weights_are_kept_evaluated_and_named(stopped, command):
    summary, best = stopped.summary, best_of(stopped)
    assert summary["best_checkpoint"].endswith(f"step-{best['step']:08d}")
    assert summary["evaluated_checkpoint"] == summary["best_checkpoint"] != summary["checkpoint"]
    assert summary["metrics"]["validation"] == best["validation"]
    assert summary["metrics"]["train"] == best["train"]
    document = command("eval", stopped.path, "--split", "validation", "--json").document
    assert document["checkpoint"] == str(stopped.checkpoint("best_checkpoint"))
    assert document["metrics"] == best["validation"]
    kept, last = (
        load_file(stopped.checkpoint(which) / "model.safetensors")
        for which in ("best_checkpoint", "checkpoint")
    )
    assert not np.array_equal(kept["layers.0.kernel"], last["layers.0.kernel"])


def test_eval_of_a_run_takes_the_best_and_says_so(stopped, command):
    document = command("eval", stopped.path, "--json").document
    assert document["which"] == "best"
    assert document["metrics"] == stopped.summary["metrics"]["test"]


def test_without_restore_best_the_last_weights_are_judged_and_the_best_still_kept(train, command):
    run = train(*OVERSHOOTING, stopping(patience=3, restore_best=False))
    summary, last = run.summary, run.epochs[-1]
    assert summary["evaluated_checkpoint"] == summary["checkpoint"] != summary["best_checkpoint"]
    assert summary["metrics"]["validation"] == last["validation"]
    document = command("eval", run.path, "--json").document
    assert document["checkpoint"] == str(run.checkpoint())
    assert document["metrics"] == summary["metrics"]["test"]


def test_min_delta_and_an_accuracy_as_monitor_decide_what_is_better(train):
    settings = stopping(monitor="validation.accuracy", patience=2, min_delta=0.03)
    run = train(*OVERSHOOTING, settings)
    best, waited = None, 0
    for line in run.epochs:
        value = line["validation"]["accuracy"]
        if best is None or value - best["validation"]["accuracy"] > 0.03:
            best, waited = line, 0
        else:
            waited += 1
    assert waited == 2 or len(run.epochs) == 40
    assert best is not None
    assert run.summary["best_checkpoint"].endswith(f"step-{best['step']:08d}")


def test_a_train_figure_may_be_monitored_where_there_is_no_validation(train):
    settings = stopping(monitor="train.loss", patience=2)
    run = train("data.splits.validation=null", *OVERSHOOTING, settings)
    losses = [line["train"]["loss"] for line in run.epochs]
    best = run.epochs[int(np.argmin(losses))]
    assert run.summary["best_checkpoint"].endswith(f"step-{best['step']:08d}")
