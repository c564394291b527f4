"""A path that a checkpoint names was somebody's choice: what is opened of it, and when."""

import os
import shutil

import pytest

from bmtrain.errors import DataError


@pytest.fixture
def graph(trained):
    return trained("graph", "training.engine=graph")


def test_a_checkpoint_alone_opens_no_file_that_it_names(graph, command, project, monkeypatch):
    """Who made it chose that path; who evaluates it names the data, or the run."""
    opened = []
    monkeypatch.setattr("bmtrain.data.sources.choose_format", lambda path, _: opened.append(path))
    ended = command("eval", graph.checkpoint(), "--json")
    assert (ended.exit_code, opened) == (2, [])
    error = ended.document["error"]
    assert error["message"] == "a checkpoint alone is evaluated on data that you name: --data PATH"
    assert str(project / "points.csv") in error["hint"]


def test_a_checkpoint_alone_is_evaluated_on_the_bundled_set_that_it_was_trained_on(
    command, tmp_path
):
    (tmp_path / "digits.yaml").write_text(
        "name: digits\ndata: {source: mnist, train_examples: 500}\n"
        "model: {type: mlp, hidden: []}\nloss: sparse_categorical_crossentropy\n"
        "optimizer: sgd\ntraining: {epochs: 1, batch_size: full, threads: 1, engine: graph}\n"
    )
    summary = command(
        "train", tmp_path / "digits.yaml", "--run-dir", tmp_path / "run", "--json"
    ).document
    moved = tmp_path / "elsewhere"
    shutil.move(summary["checkpoint"], moved)
    ended = command("eval", moved, "--json")
    assert ended.exit_code == 0, ended.err
    assert ended.document["metrics"] == summary["metrics"]["test"]
    assert ended.err == ""


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_recorded_path_is_told_before_it_is_opened(graph, command, project, monkeypatch, words):
    """And under --json, too: it was somebody else's choice."""

    def fail(path, _):
        raise DataError("not today", where=str(path))

    monkeypatch.setattr("bmtrain.data.sources.choose_format", fail)
    ended = command("eval", graph.path, *words)
    assert ended.exit_code == 3
    lines = ended.err.splitlines()
    first, then = [line for line in lines if line != "evaluating…"][:2]
    assert first == f"reading the data that the run recorded: {project}/points.csv"
    assert "not today" in then


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_recorded_path_that_is_no_file_is_exit_3(train, command, project, tmp_path, kind):
    own = tmp_path / "own.csv"
    shutil.copy(project / "points.csv", own)
    run = train(f"data.source={own}", "training.epochs=1")
    own.unlink()
    if kind == "pipe":
        os.mkfifo(own)
    else:
        own.symlink_to("/dev/zero")
    for words in (
        ("eval", run.path),
        ("eval", run.path, "--data", own),
        ("predict", run.path, own),
    ):
        ended = command(*words)
        assert ended.exit_code == 3
        assert "expected a file, and this is none" in ended.err
    assert command("train", run.path, "--resume", "training.epochs=2").exit_code == 3
