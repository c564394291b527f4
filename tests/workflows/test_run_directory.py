"""What a run leaves behind: every file, and that they agree with each other."""

import hashlib
import json
import os
import platform
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from bmtrain.config.load import load_config
from bmtrain.runs.predictions import read_predictions
from bmtrain.workflows.preparation import load_experiment_data

SUMMARY_KEYS = {
    "schema_version",
    "status",
    "exit_code",
    "error",
    "run_dir",
    "checkpoint",
    "best_checkpoint",
    "evaluated_checkpoint",
    "epochs_completed",
    "steps_completed",
    "parameters",
    "metrics",
    "expectations",
    "timing",
    "engine",
}
FIGURES = ["loss", "penalty", "objective", "accuracy"]


def test_a_run_directory_holds_what_the_run_was_and_became(reference):
    present = {path.name for path in reference.path.iterdir()} - {".lock"}
    assert present == {
        "config.yaml",
        "run.json",
        "metrics.jsonl",
        "summary.json",
        "predictions",
        "checkpoints",
        "log.txt",
    }
    assert not [path for path in reference.path.rglob("*") if path.is_symlink()]


def test_the_document_of_train_is_the_summary_as_promised(reference):
    document = reference.ended.document
    assert document == reference.summary
    assert document.keys() >= SUMMARY_KEYS
    assert (document["status"], document["exit_code"], document["error"]) == ("completed", 0, None)
    assert (document["epochs_completed"], document["steps_completed"]) == (3, 72)
    # 4·8 kernel without bias, 4·8 of batch normalisation, 8·3 + 3
    assert document["parameters"] == 32 + 32 + 27
    assert list(document["metrics"]) == ["train", "validation", "test"]
    assert all(list(figures) == FIGURES for figures in document["metrics"].values())
    timing = document["timing"]
    assert timing.keys() >= {"startup_s", "compile_s", "train_s", "epoch_s", "total_s"}
    assert len(timing["epoch_s"]) == 3
    assert timing["total_s"] >= timing["startup_s"] + timing["compile_s"] + timing["train_s"]
    assert {"mode", "device"} <= document["engine"].keys()
    for which in ("checkpoint", "best_checkpoint", "evaluated_checkpoint"):
        assert reference.checkpoint(which).is_dir()


def test_a_line_per_epoch_has_the_running_means_and_the_validation(reference):
    assert [list(line) for line in reference.epochs] == [
        ["epoch", "step", "train", "validation", "learning_rate", "time"]
    ] * 3
    assert [(line["epoch"], line["step"]) for line in reference.epochs] == [
        (1, 24),
        (2, 48),
        (3, 72),
    ]
    for line in reference.epochs:
        for figures in (line["train"], line["validation"]):
            assert list(figures) == FIGURES
            assert figures["objective"] == figures["loss"] + figures["penalty"]
        assert line["learning_rate"] == pytest.approx(0.01)


def test_the_summary_has_the_figures_of_the_evaluated_epoch(reference):
    summary = reference.summary
    losses = [line["validation"]["loss"] for line in reference.epochs]
    best = reference.epochs[int(np.argmin(losses))]
    assert summary["best_checkpoint"].endswith(f"step-{best['step']:08d}")
    assert summary["evaluated_checkpoint"] == summary["best_checkpoint"]
    assert summary["metrics"]["train"] == best["train"]
    assert summary["metrics"]["validation"] == best["validation"]


def test_run_json_tells_what_ran_where_on_which_data(reference, project):
    document = json.loads((reference.path / "run.json").read_text())
    assert document["seed"] == 3
    assert "points.yaml" in document["command"]
    assert document["origins"]["optimizer.learning_rate"] == "points.yaml:7"
    assert "optimizer.beta_1" not in document["origins"]  # it is a default
    assert document["environment"]["python"] == platform.python_version()
    assert document["environment"]["packages"]["tensorflow"] == document["engine"]["tensorflow"]
    assert document["engine"] == reference.summary["engine"]
    assert document["engine"]["threads"] == 1
    assert document["engine"]["lowerings"] == ["dropout_threefry16"]
    data = document["data"]
    assert data["source"] == str(project / "points.csv")
    assert data["examples"] == {"train": 186, "validation": 62, "test": 62}
    assert data["class_names"] == ["left", "right", "up"]
    assert len(bytes.fromhex(data["fingerprint"])) == 32
    assert list(data["fingerprints"]) == ["train", "validation", "test"]
    assert document["parameters"] == 91
    # Forward: a product and a sum per kernel entry; backward about twice as much.
    assert document["flops_per_epoch"] == 3 * 2 * (32 + 24) * 186
    assert document["peak_memory_bytes"] > 2**20
    assert "git" in document


def test_run_json_tells_when_the_command_began(reference):
    """Before the log's first line, by no more than reading the data takes."""
    document = json.loads((reference.path / "run.json").read_text())
    first_line = (reference.path / "log.txt").read_text().split()[0]
    begun, logged = map(datetime.fromisoformat, (document["begun"], first_line))
    assert begun.utcoffset() == timedelta(0)
    assert timedelta(0) <= logged - begun <= timedelta(minutes=1)


def test_the_splits_of_a_run_have_fingerprints_of_their_own(reference):
    """The test split's by hand, from what the run stored of it and the table."""
    import polars as pl

    run_json = json.loads((reference.path / "run.json").read_text())
    source = pl.read_csv(run_json["data"]["source"]).drop("side").to_numpy().astype("<f4")
    stored = read_predictions(reference.path / "predictions" / "test.safetensors")
    experiment = load_config(reference.path / "config.yaml").experiment
    split = load_experiment_data(experiment).splits["test"]
    assert {tuple(row) for row in split.array} <= {tuple(row) for row in source}
    digest = hashlib.sha256(b"features <f4 (62, 4)\n")
    digest.update(split.array.astype("<f4").tobytes())
    digest.update(b"labels <i4 (62,)\n")
    digest.update(stored.labels.astype("<i4").tobytes())
    assert run_json["data"]["fingerprints"]["test"] == digest.hexdigest()


def test_the_summary_says_what_the_training_took(reference):
    cost, timing = reference.summary["cost"], reference.summary["timing"]
    epochs = reference.summary["epochs_completed"]
    assert cost["parameters"] == 91
    assert cost["examples"] == epochs * 186
    assert cost["flops"] == 3 * 2 * (32 + 24) * 186 * epochs
    assert cost["examples_per_s"] == pytest.approx(epochs * 186 / timing["train_s"])
    assert cost["peak_memory_bytes"] > 2**20
    assert 0 < cost["cpu_s_of_start"] < 600
    energy = cost["energy_of_start"]
    # Whatever machine this is: a figure, or why there is none.
    missing = [name for name in ("processor", "gpu") if energy[f"{name}_j"] is None]
    assert [line.partition(":")[0] for line in energy["unavailable"]] == missing


def test_the_stored_predictions_give_the_summarys_figures(reference):
    stored = read_predictions(reference.path / "predictions" / "test.safetensors")
    assert stored.outputs.shape == (62, 3)
    np.testing.assert_array_equal(stored.predicted, stored.outputs.argmax(axis=1))
    figures = reference.summary["metrics"]["test"]
    assert figures["accuracy"] == pytest.approx(np.mean(stored.predicted == stored.labels))
    chosen = stored.outputs[np.arange(62), stored.labels].astype(np.float64)
    assert figures["loss"] == pytest.approx(-np.log(chosen).mean(), rel=1e-5)


def test_native_chatter_is_in_the_log_and_not_on_the_screen(reference):
    log = (reference.path / "log.txt").read_text()
    for said in ("DataReady", "ModelReady", "EpochDone", "CheckpointSaved", "RunFinished"):
        assert said in log
    for word in ("absl", "cuda", "XLA", "oneDNN", "WARNING"):
        assert word not in reference.ended.err
    assert "absl" in log or "cuda" in log  # TensorFlow always says something


def test_nothing_is_written_into_the_home_but_the_compilation_cache(reference, environment):
    """Keras would leave a keras.json there."""
    home = Path(environment["HOME"])
    assert [str(path.relative_to(home)) for path in home.iterdir()] == [".cache"]
    assert [path.name for path in (home / ".cache").iterdir()] == ["bmtrain"]


def test_the_index_names_best_and_last(reference):
    index = json.loads((reference.path / "checkpoints" / "index.json").read_text())
    assert index["last"] == reference.checkpoint().name
    assert index["best"] == reference.checkpoint("best_checkpoint").name


def test_without_validation_there_is_no_best_and_the_last_is_evaluated(train):
    run = train("data.splits.validation=null", "training.epochs=2")
    summary = run.summary
    assert run.ended.exit_code == 0
    assert summary["best_checkpoint"] is None
    assert summary["evaluated_checkpoint"] == summary["checkpoint"]
    assert list(summary["metrics"]) == ["train", "test"]
    assert all("validation" not in line for line in run.epochs)


def test_without_a_test_split_nothing_is_predicted(train):
    run = train("data.splits.test=null", "training.epochs=1")
    assert list(run.summary["metrics"]) == ["train", "validation"]
    assert not (run.path / "predictions").exists()


def test_a_batch_larger_than_the_split_is_the_split(train):
    run = train("training.batch_size=100000", "training.epochs=2")
    assert run.summary["steps_completed"] == 2


def test_a_regression_stores_its_targets_and_its_outputs(train):
    run = train("data.splits.test=0.2", "training.epochs=60", config="line.yaml")
    stored = read_predictions(run.path / "predictions" / "test.safetensors")
    assert stored.labels.shape == stored.outputs.shape == (12, 1)
    np.testing.assert_array_equal(stored.predicted, stored.outputs)
    error = stored.outputs.astype(np.float64) - stored.labels
    assert run.summary["metrics"]["test"]["loss"] == pytest.approx(np.mean(error**2) / 2, rel=1e-5)
    assert run.summary["best_checkpoint"] is None


@pytest.mark.parametrize(
    ("expectation", "code"),
    [("train.loss <= 0.02", 0), ("train.loss < 0.0001", 4), ("train.objective > 0.001", 0)],
)
def test_an_expectation_decides_the_exit_code(train, expectation, code):
    run = train("--expect", expectation, "--expect", "train.loss >= 1e-9", config="line.yaml")
    assert run.ended.exit_code == code, run.ended.err
    assert run.summary == run.ended.document
    assert (run.summary["exit_code"], run.summary["status"]) == (code, "completed")
    judged = run.summary["expectations"]
    split, figure = expectation.split()[0].split(".")
    assert judged[0] == {
        "text": expectation,
        "value": run.summary["metrics"][split][figure],
        "met": code == 0,
    }
    assert judged[1]["met"]


def test_a_run_may_be_given_an_empty_directory_and_nothing_else(train, command, tmp_path):
    (tmp_path / "run-0").mkdir()
    first = train("training.epochs=1")
    assert first.ended.exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in first.path.rglob("*")}
    second = command("train", "points.yaml", "--run-dir", first.path, "--json")
    assert second.exit_code == 6
    assert "not empty" in second.document["error"]["message"]
    assert {path: path.stat().st_mtime_ns for path in first.path.rglob("*")} == before


def test_runs_go_where_the_variable_says(command, monkeypatch, tmp_path):
    monkeypatch.setenv("BMTRAIN_RUNS", str(tmp_path / "mine"))
    words = ("training.engine=graph", "training.epochs=1", "--json")
    ended = command("train", "points.yaml", *words)
    (made,) = (tmp_path / "mine").iterdir()
    assert ended.document["run_dir"] == str(made)
    assert made.name.startswith("points-")
    assert os.access(made / "summary.json", os.R_OK)
