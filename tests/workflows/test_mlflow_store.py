"""A training that tracks to MLflow: to a database in a file, and where MLflow is not installed."""

import json
import sqlite3
import sys
from contextlib import closing

import pytest

from bmtrain.workflows.tracking import mlflow_run, mlflow_tracker

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


@pytest.fixture
def patience(monkeypatch):
    """A busy machine takes its time."""
    monkeypatch.setattr(mlflow_tracker, "PATIENCE_S", 300.0)


def asked(database, query):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_a_database_has_what_the_run_directory_has(train, patience, tmp_path):
    database = tmp_path / "mlflow.db"
    run = train(f"track.mlflow=sqlite:///{database}", "training.epochs=2")
    assert run.ended.exit_code == 0, run.ended.err
    assert "goes on without it" not in run.ended.err
    ((run_id, status, name),) = asked(database, "SELECT run_uuid, status, name FROM runs")
    assert (status, name) == ("FINISHED", run.path.name)
    assert stored_losses(database) == losses(run)
    params = dict(asked(database, "SELECT key, value FROM params"))
    assert (params["training.epochs"], params["model.hidden"]) == ("2", "[8]")
    tags = dict(asked(database, "SELECT key, value FROM tags"))
    assert tags["bmtrain.run_dir"] == str(run.path)
    assert (tags["bmtrain.status"], tags["bmtrain.exit_code"]) == ("completed", "0")
    artifacts = tmp_path / "mlartifacts" / run_id / "artifacts"
    assert {path.name for path in artifacts.iterdir()} == {"config.yaml", "summary.json"}
    assert (artifacts / "config.yaml").read_text() == (run.path / "config.yaml").read_text()


@pytest.mark.long
def test_a_resumed_run_is_the_same_one_there(train, command, patience, tmp_path):
    database = tmp_path / "mlflow.db"
    run = train(f"track.mlflow=sqlite:///{database}", "training.epochs=1")
    ended = command("train", run.path, "--resume", "training.epochs=2")
    assert ended.exit_code == 0, ended.err
    ((run_id, status),) = asked(database, "SELECT run_uuid, status FROM runs")
    assert status == "FINISHED"
    assert json.loads((run.path / "mlflow.json").read_text())["run_id"] == run_id
    assert stored_losses(database) == losses(run)
    params = dict(asked(database, "SELECT key, value FROM params"))
    tags = dict(asked(database, "SELECT key, value FROM tags"))
    assert (params["training.epochs"], tags["bmtrain.changed.training.epochs"]) == ("1", "2")


def stored_losses(database):
    return asked(
        database, "SELECT step, value FROM metrics WHERE key = 'validation/loss' ORDER BY step"
    )


def losses(run):
    return [(line["step"], line["validation"]["loss"]) for line in run.epochs]


def test_a_tracker_that_fails_costs_one_warning(train, monkeypatch):
    stub = 'print(\'{"failed": "no https://ada:lovelace@host"}\')'
    monkeypatch.setattr(mlflow_tracker, "COMMAND", (sys.executable, "-c", stub))
    run = train(f"track.mlflow={URI}", "training.epochs=1")
    assert (run.ended.exit_code, run.summary["status"]) == (0, "completed")
    words = "track.mlflow: no https://host; the training goes on without it"
    assert run.ended.err.count(words) == 1
    assert "lovelace" not in (run.path / "log.txt").read_text()


def test_an_interrupted_training_tells_that_it_was(interrupted, monkeypatch, tmp_path):
    stub = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    if 'end' in json.loads(line):\n"
        f"        open({str(tmp_path / 'end.json')!r}, 'w').write(line)\n"
        "        print('{\"ended\": true}', flush=True)\n"
    )
    monkeypatch.setattr(mlflow_tracker, "COMMAND", (sys.executable, "-c", stub))
    interrupted(3, f"track.mlflow={URI}")
    assert json.loads((tmp_path / "end.json").read_text())["end"]["status"] == "KILLED"
