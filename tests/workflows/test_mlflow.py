"""MLflow, told of a training: by a made-up client, and by stubs of its process."""

import importlib.util
import json
import sys
import time
from types import SimpleNamespace

import pytest

from bmtrain.errors import EnvironmentFault
from bmtrain.runs.directory import RunDirectory
from bmtrain.workflows.tracking import mlflow_tracker
from bmtrain.workflows.tracking.mlflow_run import parameters, require_trackers, run_name
from bmtrain.workflows.tracking.mlflow_service import Service, serve
from bmtrain.workflows.tracking.mlflow_tracker import MlflowTracker
from bmtrain.workflows.tracking.tracker import Outcome, TrackedRun

RUN_ID = "0123456789abcdef" * 2
URI = "http://127.0.0.1:5000"


# --- what the other process does, with a made-up client --------------------------------------


class Entities:
    """Of ``mlflow.entities``, as plain tuples."""

    @staticmethod
    def Metric(*values):  # noqa: N802  # MLflow's name
        return values

    Param = RunTag = Metric


class Client:
    """Of MLflow's client, what is used; keeps what it was told."""

    def __init__(self, *, params=None, history=(), stage="active", deleted=False):
        self.told = []
        self.run = SimpleNamespace(
            info=SimpleNamespace(run_id=RUN_ID, experiment_id="7", lifecycle_stage=stage),
            data=SimpleNamespace(params=params or {}),
        )
        self.history = history
        self.deleted = deleted

    def get_run(self, run_id):
        assert run_id == RUN_ID
        return self.run

    def create_run(self, experiment_id, run_name):
        self.told.append(("created", experiment_id, run_name))
        return self.run

    def get_experiment_by_name(self, name):
        stage = "deleted" if self.deleted else "active"
        return SimpleNamespace(experiment_id="7", lifecycle_stage=stage)

    def get_metric_history(self, run_id, name):
        return [SimpleNamespace(step=step, value=value) for step, value in self.history]

    def log_batch(self, run_id, **entries):
        self.told.append(entries)

    def log_artifact(self, run_id, path, directory):
        self.told.append(("artifact", path, directory))

    def update_run(self, run_id, status):
        self.told.append(("status", status))

    def set_terminated(self, run_id, status):
        self.told.append(("ended", status))


def begun(**changes):
    command: dict[str, object] = {
        "uri": URI,
        "experiment": "x",
        "name": "a",
        "run_id": None,
        "params": {},
        "tags": {},
    }
    return {"begin": command | changes}


def figures(step, **named):
    return {"metrics": {"step": step, "time_ms": 9, "figures": named}}


END = {"end": {"status": "FINISHED", "tags": {"done": "yes"}}}


def served(client, *commands):
    answers: list[object] = []
    serve(iter([list(commands)]), lambda uri: Service(client, Entities), answers.append)
    return answers


def test_a_run_is_begun_told_figures_in_one_request_and_ended():
    client = Client()
    answers = served(
        client, begun(params={"a": "1"}), figures(1, loss=0.5), figures(2, loss=0.25), END
    )
    assert answers == [
        {"begun": {"run_id": RUN_ID, "experiment_id": "7"}},
        {"done": 2},
        {"ended": True},
    ]
    assert client.told == [
        ("created", "7", "a"),
        {"params": [("a", "1")]},
        {"metrics": [("loss", 0.5, 9, 1), ("loss", 0.25, 9, 2)]},
        {"tags": [("done", "yes")]},
        ("ended", "FINISHED"),
    ]


def test_no_request_holds_more_than_mlflow_takes():
    client = Client()
    served(client, begun(), *(figures(step, loss=float(step)) for step in range(2001)))
    assert [len(told["metrics"]) for told in client.told if "metrics" in told] == [1000, 1000, 1]


def test_a_run_that_is_gone_on_with_is_told_what_it_does_not_know():
    client = Client(params={"epochs": "1", "rate": "0.1"}, history=[(1, 0.5)])
    params = {"epochs": "2", "rate": "0.1", "new": "x"}
    served(client, begun(run_id=RUN_ID, params=params), figures(1, loss=0.5), figures(2, loss=0.25))
    assert client.told[:4] == [
        ("status", "RUNNING"),
        {"params": [("new", "x")]},
        {"tags": [("bmtrain.changed.epochs", "2")]},
        {"metrics": [("loss", 0.25, 9, 2)]},
    ]


def test_a_run_that_was_removed_there_is_begun_anew():
    client = Client(stage="deleted")
    served(client, begun(run_id=RUN_ID))
    assert client.told[0] == ("created", "7", "a")


def test_a_training_that_says_no_end_was_killed():
    client = Client()
    served(client, begun())
    assert client.told[-1] == ("ended", "KILLED")


def test_what_goes_wrong_is_the_last_answer_in_a_line_and_without_passwords(monkeypatch):
    client = Client()
    monkeypatch.setattr(client, "log_artifact", lambda *_: 1 / 0)
    (_, failed) = served(client, begun(), {"artifact": {"path": "a", "directory": None}}, END)
    assert failed == {"failed": "division by zero"}
    (failed,) = served(Client(deleted=True), begun())
    assert failed == {"failed": "the experiment 'x' was deleted; restore it or name another"}

    def away(uri):
        raise ConnectionError("no https://ada:lovelace@host/?token=lovelace\nand more")

    answers: list[object] = []
    serve(iter([[begun()]]), away, answers.append)
    assert answers == [{"failed": "no https://host/?token=…"}]


# --- what the training's process does, with stubs of the other --------------------------------

LISTENING = f"""
import json, sys
print(json.dumps({{"begun": {{"run_id": "{RUN_ID}", "experiment_id": "7"}}}}), flush=True)
for line in sys.stdin:
    with open("told.jsonl", "a") as file:
        file.write(line)
    if "end" in json.loads(line):
        print(json.dumps({{"ended": True}}), flush=True)
"""
DEAF = "import time; time.sleep(60)"
DYING = "import os; os.abort()"
FAILING = 'print(\'{"failed": "no https://ada:lovelace@host"}\')'


@pytest.fixture
def tracker(tmp_path, monkeypatch, experiment):
    """(stub, uri) -> a tracker whose other process is the stub, of a run in this directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mlflow_tracker, "PATIENCE_S", 0.3)
    monkeypatch.setattr(mlflow_tracker, "ENDED_PATIENCE_S", 0.3)
    (tmp_path / "summary.json").write_text("{}")

    def begin(stub, uri=URI, **section):
        monkeypatch.setattr(mlflow_tracker, "COMMAND", (sys.executable, "-c", stub))
        made = experiment({"type": "dense", "units": 1}, track={"mlflow": {"uri": uri, **section}})
        return MlflowTracker(TrackedRun(made, RunDirectory(tmp_path), 0, {"engine.mode": "xla"}))

    return begin


def told(path):
    return [json.loads(line) for line in (path / "told.jsonl").read_text().splitlines()]


SUMMARY = {"status": "completed", "exit_code": 4, "evaluated_checkpoint": None}


def test_a_training_is_told_from_begin_to_end_and_its_run_recorded(tracker, tmp_path):
    running = tracker(LISTENING, experiment="mine")
    running.scalars(3, {"train/loss": float("nan")})
    running.close(Outcome("finished", SUMMARY))
    begin, config, metrics, summary, end = told(tmp_path)
    assert begin["begin"]["experiment"] == "mine"
    assert begin["begin"]["name"] == tmp_path.name
    assert begin["begin"]["params"]["model.layers.0.units"] == "1"
    assert begin["begin"]["tags"]["bmtrain.engine.mode"] == "xla"
    assert config["artifact"] == {"path": str(tmp_path / "config.yaml"), "directory": None}
    assert metrics["metrics"]["step"] == 3
    assert summary["artifact"]["path"] == str(tmp_path / "summary.json")
    assert end["end"] == {
        "status": "FINISHED",
        "tags": {"bmtrain.status": "completed", "bmtrain.exit_code": "4"},
    }
    assert json.loads((tmp_path / "mlflow.json").read_text()) == {
        "schema_version": 1, "uri": URI, "run_id": RUN_ID, "experiment_id": "7",
    }  # fmt: skip


@pytest.mark.parametrize(("uri", "expected"), [(URI, RUN_ID), ("http://127.0.0.1:1", None)])
def test_the_same_run_is_gone_on_with_at_the_same_address(tracker, tmp_path, uri, expected):
    tracker(LISTENING).close(Outcome("killed"))
    (tmp_path / "told.jsonl").unlink()
    tracker(LISTENING, uri).close(Outcome("failed"))
    begin, *_, end = told(tmp_path)
    assert begin["begin"]["run_id"] == expected
    assert end["end"] == {"status": "FAILED", "tags": {"bmtrain.status": "failed"}}


def test_a_strangers_record_names_no_run_that_is_none(tracker, tmp_path):
    (tmp_path / "mlflow.json").write_text(json.dumps({"uri": URI, "run_id": "../../etc"}))
    tracker(LISTENING).close(Outcome("killed"))
    assert told(tmp_path)[0]["begin"]["run_id"] is None


def test_who_does_not_listen_holds_nothing_up_and_is_given_up_at_the_end(tracker):
    running = tracker(DEAF)
    began = time.perf_counter()
    for step in range(3000):  # more than a pipe holds
        running.scalars(step, {f"figure/{number}": 0.5 for number in range(5)})
    with pytest.raises(OSError, match="no answer for 0 s"):
        running.close(Outcome("finished", SUMMARY))
    assert time.perf_counter() - began < 20


def test_memory_for_who_does_not_keep_up_is_bounded(tracker, monkeypatch):
    monkeypatch.setattr(mlflow_tracker, "_MAX_PENDING_BYTES", 2**20)
    running = tracker(DEAF)

    def tell_much():
        for step in range(2**16):
            running.scalars(step, {"name" * 20: 0.5})

    with pytest.raises(OSError, match="does not keep up"):
        tell_much()


@pytest.mark.parametrize(
    ("stub", "words"),
    [(DYING, r"is gone \(SIGABRT\)"), (FAILING, r"^no https://host$")],
)
def test_who_dies_or_fails_is_told_at_the_latest_at_the_end(tracker, stub, words):
    running = tracker(stub)
    with pytest.raises(OSError, match=words):
        running.close(Outcome("finished", SUMMARY))


# --- before a training --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "absent", "words"),
    [
        (None, None, "MLFLOW_TRACKING_URI is not set"),
        (URI, "mlflow", "the package mlflow is not installed"),
        ("sqlite:////a.db", "sqlalchemy", "the package sqlalchemy, for databases, is not"),
    ],
)
def test_what_is_missing_is_told_before_anything_is_trained(
    experiment, monkeypatch, uri, absent, words
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == absent else find(name)
    )
    made = experiment({"type": "dense", "units": 1}, track={"mlflow": {"uri": uri}})
    with pytest.raises(EnvironmentFault, match=words):
        require_trackers(made.track)


def test_parameters_are_the_resolved_config_without_the_trackers(experiment):
    made = experiment(
        {"type": "dense", "units": 1}, track={"mlflow": {"uri": URI}}, expect=["test.loss <= 1"]
    )
    flat = parameters(made)
    assert flat["optimizer.learning_rate"] == "0.1"
    assert flat["model.layers.0.type"] == "dense"
    assert flat["expect"] == '["test.loss <= 1"]'
    assert flat["training.early_stopping"] == "null"
    assert not any(name.startswith("track") for name in flat)


def test_a_fold_is_called_by_its_training_too(tmp_path):
    assert run_name(tmp_path / "run") == "run"
    assert run_name(tmp_path / "run" / "fold-2") == "run/fold-2"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            (
                "API request to http://127.0.0.1:5999/api failed with exception HTTPConnectionPool("
                "host='127.0.0.1', port=5999): Max retries exceeded with url: /api (Caused by "
                "NewConnectionError('<object>: Failed to establish: [Errno 111] Connection refused'))"
            ),
            "no answer from 127.0.0.1:5999 (connection refused)",
        ),
        (
            "(sqlite3.OperationalError) unable to open database file",
            "the database file /data/m.db cannot be written",
        ),
    ],
)
def test_what_is_away_is_told_in_a_few_words(said, told):
    def away(_uri):
        raise OSError(said)

    answers: list[object] = []
    serve(iter([[begun(uri="sqlite:////data/m.db")]]), away, answers.append)
    assert answers == [{"failed": told}]
