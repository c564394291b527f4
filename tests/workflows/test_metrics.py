"""Figures of whole splits through the real commands: reported, watched, expected, compared."""

import json

import pytest
from sklearn import metrics

from bmtrain.runs.predictions import read_predictions
from tests.workflows.resumed_runs import bits, log_but_times

WORDS = (
    "metrics=[accuracy, f1_macro, auc, mcc, ece, log_loss, top_2_accuracy]",
    "training.early_stopping={monitor: validation.f1_macro, patience: 2}",
)
WHOLE = ("f1_macro", "roc_auc", "matthews_corrcoef", "expected_calibration_error")


def test_validation_and_test_have_them_and_train_has_running_means_alone(run_of):
    run = run_of(*WORDS, "expect=[test.auc > 0.1, validation.f1_macro > 0]")
    assert run.ended.exit_code == 0, run.ended.err
    for epoch in run.epochs:
        assert set(WHOLE) <= epoch["validation"].keys()
        assert not set(WHOLE) & epoch["train"].keys()
        assert {"accuracy", "top_2_accuracy"} <= epoch["train"].keys()
        # Without weights and label smoothing a cross-entropy is the log loss.
        for split in ("train", "validation"):
            figures = epoch[split]
            assert figures["log_loss"] == pytest.approx(figures["loss"], rel=1e-5)
    assert all(judged["met"] for judged in run.summary["expectations"])
    best = max(run.epochs, key=lambda epoch: epoch["validation"]["f1_macro"])
    assert run.summary["evaluated"] == {
        "which": "best", "epoch": best["epoch"], "monitor": "validation.f1_macro",
    }  # fmt: skip


def test_the_figures_are_those_of_the_stored_predictions_and_of_eval(run_of, command):
    run = run_of(*WORDS)
    stored = read_predictions(run.path / "predictions" / "test.safetensors")
    figures = run.summary["metrics"]["test"]
    predicted = stored.outputs.argmax(axis=1)
    f1 = metrics.f1_score(stored.labels, predicted, average="macro")
    assert figures["f1_macro"] == pytest.approx(f1)
    ended = command("eval", run.path, "--json")
    assert ended.document["metrics"] == figures


def test_a_watched_figure_of_a_whole_split_is_the_same_after_a_resume(interrupted, command, run_of):
    path = interrupted(31, *WORDS)
    whole = run_of(*WORDS)
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("f1", "'f1' is of two classes, and the data has 3; write 'f1_macro'"),
        ("{name: top_k_categorical_accuracy, k: 7}",
         "'top_7_accuracy': the data has 3 classes and no 7th"),
    ],
)  # fmt: skip
def test_a_figure_that_the_classes_do_not_have_is_refused_with_its_place(
    command, project, metric, message
):
    ended = command("train", project / "points.yaml", f"metrics=[accuracy, {metric}]", "--json")
    assert ended.exit_code == 3
    (told,) = ended.document["diagnostics"]
    assert told["key"] == "metrics.1"
    assert told["message"] == message


def test_runs_are_not_compared_by_what_no_example_has(run_of, command):
    runs = [run_of(*WORDS, f"optimizer.learning_rate={rate}").path for rate in (0.01, 0.02)]
    ended = command("compare", *runs, "--metric", "test.f1_macro", "--json")
    assert ended.exit_code == 0, ended.err
    (evidence,) = json.loads(ended.out)["evidence"]
    assert evidence["verdict"] == "untested"
