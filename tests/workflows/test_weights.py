"""A weighted training from the config to eval: one loss everywhere, and no resume under another."""

import csv
import shutil

import numpy as np
import pytest

from bmtrain.runs.predictions import read_predictions


@pytest.fixture
def weighted(project, tmp_path):
    """A table with a column of weights, and the config of it."""
    with (project / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    for at, row in enumerate(rows):
        row["worth"] = str(at % 4 / 2)
    path = tmp_path / "weighted.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    config = (project / "points.yaml").read_text().replace("./points.csv", str(path))
    config = config.replace("label: side", "label: side, sample_weight: worth")
    config = config.replace("threads: 1", "threads: 1, class_weight: {up: 3}")
    (tmp_path / "weighted.yaml").write_text(config)
    return tmp_path / "weighted.yaml"


def test_train_eval_and_stored_predictions_have_one_loss(weighted, train, command):
    run = train("training.epochs=2", config=str(weighted))
    told = run.summary["metrics"]["test"]
    evaluated = command("eval", run.path, "--json").document["metrics"]
    assert evaluated == told

    stored = read_predictions(run.path / "predictions" / "test.safetensors")
    weights = stored.weights
    assert weights is not None
    is_up = stored.labels == 2
    assert set(np.unique(weights[~is_up])) == {0, 0.5, 1, 1.5}
    assert set(np.unique(weights[is_up])) <= {0, 1.5, 3, 4.5}
    likelihood = stored.outputs[np.arange(len(is_up)), stored.labels].astype(np.float64)
    assert told["loss"] == pytest.approx(np.mean(-weights * np.log(likelihood)), rel=1e-5)
    assert told["accuracy"] == pytest.approx(np.mean(stored.predicted == stored.labels))


def test_train_says_what_the_loss_is_weighted_by(weighted, command, tmp_path):
    ended = command("train", weighted, "training.epochs=1", "--run-dir", tmp_path / "run")
    assert "weighted by class: left: 1, right: 1, up: 3; by example: 'worth'" in " ".join(
        ended.err.split()
    )


def test_other_data_needs_the_weights_for_eval_and_not_for_predict(
    weighted, train, command, project, tmp_path
):
    run = train("training.epochs=1", config=str(weighted))
    ended = command("eval", run.path, "--data", project / "points.csv", "--json")
    assert ended.exit_code == 3
    assert "there is no column 'worth'" in ended.document["error"]["message"]
    assert command("predict", run.path, project / "points.csv").exit_code == 0
    ended = command("eval", run.path, "--data", tmp_path / "weighted.csv", "--json")
    assert ended.document["examples"] == 310


def test_a_run_is_not_gone_on_with_under_other_weights(weighted, train, command, tmp_path):
    run = train("training.epochs=1", config=str(weighted))
    for change, message in (
        ("training.class_weight.up=2", "training.class_weight.up was 3.0, is 2.0"),
        ("training.class_weight=null", "training.class_weight was"),
        ("data.sample_weight=null", 'data.sample_weight was "worth", is null'),
    ):
        ended = command("train", run.path, "--resume", "training.epochs=2", change, "--json")
        assert ended.exit_code == 7
        assert message in ended.document["error"]["message"]
    table = tmp_path / "weighted.csv"
    shutil.copy(table, tmp_path / "kept.csv")
    table.write_text(table.read_text().replace(",1.5\n", ",1.25\n"))
    ended = command("train", run.path, "--resume", "training.epochs=2", "--json")
    assert ended.exit_code == 7
    assert "data.fingerprint" in ended.document["error"]["message"]
    shutil.copy(tmp_path / "kept.csv", table)
    assert command("train", run.path, "--resume", "training.epochs=2").exit_code == 0


def test_class_weights_of_a_regression_and_of_no_class_are_told_at_their_place(
    weighted, command, project
):
    ended = command("train", project / "line.yaml", "training.class_weight=balanced")
    assert ended.exit_code == 2
    assert "training.class_weight: there are no classes: this is regression" in ended.err
    ended = command("train", weighted, "training.class_weight.upp=2")
    assert ended.exit_code == 3
    assert "there is no class 'upp'" in ended.err
    assert "did you mean 'up'?" in ended.err
