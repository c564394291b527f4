"""MLflow's own server on loopback, told of trainings; killed trainings, and a server that is away."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.long


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server, and its process."""
    home = tmp_path_factory.mktemp("server")
    uri = f"http://127.0.0.1:{free_port()}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"),
        *("--port", uri.rpartition(":")[2], "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{home}/mlflow.db"),
        *("--artifacts-destination", str(home / "artifacts")),
    ]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (
        (home / "log.txt").open("w") as log,
        subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            wait_for(lambda: is_up(uri), 180)
            yield uri
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def is_up(uri):
    try:
        with urllib.request.urlopen(f"{uri}/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def asked(uri, method, **parameters):
    """What MLflow's REST API answers."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    with urllib.request.urlopen(f"{uri}/api/2.0/mlflow/{method}?{query}", timeout=30) as answer:
        return json.loads(answer.read())


def tracked(uri, run_dir):
    run_id = json.loads((run_dir / "mlflow.json").read_text())["run_id"]
    return asked(uri, "runs/get", run_id=run_id)["run"]


def named(entries):
    return {entry["key"]: entry["value"] for entry in entries}


def test_a_server_has_what_the_run_directory_has(bmtrain, server, tmp_path):
    run = tmp_path / "run"
    words = (f"track.mlflow={{uri: '{server}', checkpoint: true}}", "--run-dir", run, "--json")
    ended = bmtrain("train", "points.yaml", *words)
    assert ended.exit_code == 0, ended.err
    assert "track.mlflow" not in ended.err
    found = tracked(server, run)
    assert found["info"]["status"] == "FINISHED"
    figures = named(found["data"]["metrics"])
    test = ended.document["metrics"]["test"]
    assert {name: figures[f"test/{name}"] for name in test} == pytest.approx(test)
    assert named(found["data"]["params"])["optimizer.learning_rate"] == "0.01"
    run_id = found["info"]["run_id"]
    files = asked(server, "artifacts/list", run_id=run_id)["files"]
    assert {file["path"] for file in files} == {"config.yaml", "summary.json", "checkpoint"}
    files = asked(server, "artifacts/list", run_id=run_id, path="checkpoint")["files"]
    assert "checkpoint/model.safetensors" in {file["path"] for file in files}


@contextmanager
def training(environment, project, *words):
    command = [sys.executable, "-m", "bmtrain", "train", "points.yaml", *map(str, words)]
    with subprocess.Popen(command, cwd=project, env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_that_is_ended_is_told_and_gone_on_with_as_the_same_run(
    bmtrain, environment, project, server, tmp_path, number
):
    run = tmp_path / "run"
    words = (f"track.mlflow={server}", "training.epochs=100000", "--run-dir", run)
    with training(environment, project, *words) as process:
        wait_for((run / "mlflow.json").exists, 180)
        process.send_signal(number)
        process.wait()
    wait_for(lambda: tracked(server, run)["info"]["status"] == "KILLED", 180)
    run_id = tracked(server, run)["info"]["run_id"]
    ended = bmtrain(
        "train", run, "--resume", "training.epochs=100000", "training.early_stopping={patience: 0}",
        "--allow-changed", "training.early_stopping",
    )  # fmt: skip
    assert ended.exit_code == 0, ended.err
    found = tracked(server, run)
    assert (found["info"]["run_id"], found["info"]["status"]) == (run_id, "FINISHED")


def test_a_server_that_is_away_costs_a_warning(bmtrain, tmp_path):
    uri = f"http://127.0.0.1:{free_port()}"
    ended = bmtrain("train", "points.yaml", f"track.mlflow={uri}", "--run-dir", tmp_path / "run")
    assert ended.exit_code == 0
    assert ended.err.count("track.mlflow: ") == 1
    assert "the training goes on without it" in ended.err
