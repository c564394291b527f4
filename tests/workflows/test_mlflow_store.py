"""A training that tracks to MLflow: to a database in a file, and where MLflow is not installed."""

import json
import sqlite3
from contextlib import closing

from bmtrain.workflows.tracking import mlflow_run

URI = "http://127.0.0.1:5000"


def test_a_training_without_the_package_ends_with_6_and_leaves_nothing(
    in_process, command, project, monkeypatch, tmp_path
):
    monkeypatch.setattr(mlflow_run, "missing_of_mlflow", lambda _: ("no package", "install it"))
    ended = command(
        "train", project / "points.yaml", f"track.mlflow={URI}", "--run-dir", tmp_path / "run"
    )
    assert ended.exit_code == 6
    assert "track.mlflow: no package" in ended.err
    assert "hint: install it" in ended.err
    assert not (tmp_path / "run").exists()


def asked(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_a_database_has_what_the_log_has_and_a_resumed_run_is_the_same_one(
    in_process, train, command, tmp_path
):
    database = tmp_path / "mlflow.db"
    run = train(f"track.mlflow=sqlite:///{database}", "training.epochs=1")
    assert run.ended.exit_code == 0, run.ended.err
    assert "track.mlflow" not in run.ended.err
    ended = command("train", run.path, "--resume", "training.epochs=2")
    assert ended.exit_code == 0, ended.err
    ((run_id, status, name),) = asked(database, "SELECT run_uuid, status, name FROM runs")
    assert (status, name) == ("FINISHED", run.path.name)
    assert json.loads((run.path / "mlflow.json").read_text())["run_id"] == run_id
    stored = asked(
        database, "SELECT step, value FROM metrics WHERE key = 'validation/loss' ORDER BY step"
    )
    assert stored == [(line["step"], line["validation"]["loss"]) for line in run.epochs]
    params = dict(asked(database, "SELECT key, value FROM params"))
    assert (params["training.epochs"], params["model.hidden"]) == ("1", "[8]")
    tags = dict(asked(database, "SELECT key, value FROM tags"))
    assert tags["bmtrain.changed.training.epochs"] == "2"
    assert tags["bmtrain.run_dir"] == str(run.path)
    assert (tags["bmtrain.status"], tags["bmtrain.exit_code"]) == ("completed", "0")
    artifacts = tmp_path / "mlartifacts" / run_id / "artifacts"
    assert {path.name for path in artifacts.iterdir()} == {"config.yaml", "summary.json"}
    assert (artifacts / "config.yaml").read_text() == (run.path / "config.yaml").read_text()
