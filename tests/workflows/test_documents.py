"""``train --json``: however a training ends, its document has the same keys."""

import json

import pytest

from bmtrain.workflows import documents

COMMON = {"schema_version", "status", "exit_code", "error", "diagnostics", "run_dir"}


@pytest.fixture
def used(tmp_path):
    """A run directory that holds something."""
    path = tmp_path / "used"
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    return path


@pytest.fixture
def failing(command, tmp_path, monkeypatch, used):
    """(kind) -> the document of a training that fails in that way."""

    def no_memory(*_, **__):
        raise MemoryError

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    def wrong(*_, **__):
        raise AssertionError

    def run(kind):
        words: dict[str, list[object]] = {
            "an unknown option": ["points.yaml", "--bogus"],
            "no config at all": [],
            "two ways to start": ["points.yaml", "--resume", "--resume-if-possible"],
            "a wrong config": ["points.yaml", "training.epochs=0"],
            "a wrong expectation": ["points.yaml", "--expect", "test.f1 >= 1"],
            "no such config": ["absent.yaml"],
            "no data": ["points.yaml", "data.source=./absent.csv"],
            "data that does not fit": ["points.yaml", "data.label=absent"],
            "a used run directory": ["points.yaml", "--run-dir", used],
            "no run to go on with": [used, "--resume"],
        }
        patches = {
            "no memory for the data": ("bmtrain.workflows.preparation.load_dataset", no_memory),
            "a bug": ("bmtrain.workflows.preparation.load_dataset", wrong),
            "Ctrl-C": ("bmtrain.workflows.preparation.load_dataset", interrupted),
            "Ctrl-C at once": ("bmtrain.cli.main._run", interrupted),
            "no memory for the model": (
                "bmtrain.workflows.training.execution.Execution.events",
                no_memory,
            ),
        }
        more: list[object] = ["training.engine=graph"]
        if kind == "diverged":
            more += ["optimizer={name: gradient_descent, learning_rate: 1e30}"]
        elif kind in patches:
            monkeypatch.setattr(*patches[kind])
        default = ["points.yaml", "--run-dir", tmp_path / "run", *more]
        return command("train", *words.get(kind, default), "--json").document

    return run


@pytest.mark.parametrize(
    ("kind", "exit_code"),
    [
        ("an unknown option", 2),
        ("no config at all", 2),
        ("two ways to start", 2),
        ("a wrong config", 2),
        ("a wrong expectation", 2),
        ("no such config", 2),
        ("no data", 3),
        ("data that does not fit", 3),
        ("a used run directory", 6),
        ("no run to go on with", 2),
        ("no memory for the data", 6),
        ("no memory for the model", 6),
        ("a bug", 1),
        ("Ctrl-C", 130),
        ("Ctrl-C at once", 130),
        ("diverged", 5),
    ],
)
def test_however_a_training_fails_its_document_has_the_keys_of_one_that_completes(
    failing, kind, exit_code
):
    document = failing(kind)
    assert document["exit_code"] == exit_code
    assert set(document) == set(documents.TRAIN)
    assert set(document["error"]) == {"code", "message", "where", "hint"}
    if document["epochs_completed"] is None:  # there was no run
        unknown = {name for name, value in document.items() if value is None}
        assert unknown >= set(documents.TRAIN) - COMMON


def test_a_training_that_completes_has_those_keys_in_its_document_and_in_its_run(reference):
    assert list(reference.ended.document) == list(documents.TRAIN)
    assert list(reference.summary) == list(documents.TRAIN)
    assert reference.summary["diagnostics"] == []


def test_a_smoke_test_that_fails_has_the_keys_of_one_that_passes(command, trained):
    failed = command("train", "points.yaml", "training.epochs=0", "--smoke", "--json").document
    assert set(failed) == set(documents.SMOKE)
    assert failed["exit_code"] == 2
    usage = command("train", "--smoke", "--bogus", "--json").document
    assert set(usage) == set(documents.SMOKE)


def test_another_command_has_no_keys_of_a_training(command):
    document = command("eval", "absent", "--json").document
    assert "epochs_completed" not in document
    assert "run_dir" not in document


def test_what_an_expectation_is_about_was_not_measured_it_is_neither_met_nor_missed(
    command, tmp_path, monkeypatch
):
    from bmtrain.engine.loop import TrainingLoop

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingLoop, "events", interrupted)
    words = ("--expect", "test.accuracy >= 0", "--run-dir", tmp_path / "run", "--json")
    document = command("train", "points.yaml", "training.engine=graph", *words).document
    assert document["status"] == "interrupted"
    unmeasured = [{"text": "test.accuracy >= 0", "value": None, "met": None}]
    assert document["expectations"] == unmeasured
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["expectations"] == unmeasured


def test_a_completed_run_of_a_version_that_knew_fewer_keys_is_told_with_all(
    run_of, command, tmp_path
):
    run = run_of("training.epochs=1")
    summary = run.summary
    del summary["diagnostics"], summary["cost"]
    (run.path / "summary.json").write_text(json.dumps(summary))
    document = command("train", run.path, "--resume", "--json").document
    assert list(document) == list(documents.TRAIN)
    assert document["cost"] is None
    assert command("train", run.path, "--resume").exit_code == 0
