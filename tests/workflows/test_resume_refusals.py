"""What may differ when a run is gone on with: nothing that changes a bit, unless it is named."""

import json
import os
import shutil
from dataclasses import fields

import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.engine.selection import EngineRecord
from bmtrain.workflows.comparable_keys import ENGINE, require_comparable


def resumed(command, path, *words):
    return command("train", path, *words, "--resume", "--json")


@pytest.fixture
def short(run_of):
    """Two epochs, each saved."""
    return run_of("training.epochs=2", "training.checkpoint.every_epochs=1")


def test_every_difference_is_told_at_once_with_the_words_that_allow_it(short, command):
    ended = resumed(command, short.path, "seed=9", "optimizer.learning_rate=0.5")
    assert ended.exit_code == 7
    error = ended.document["error"]
    assert "seed was 3, is 9" in error["message"]
    assert "optimizer.learning_rate was 0.01, is 0.5" in error["message"]
    assert "--allow-changed optimizer.learning_rate --allow-changed seed" in error["hint"]


def test_fewer_epochs_are_told_with_all_else_that_differs(short, command):
    ended = command(
        "train", short.path, "--resume", "training.epochs=1", "optimizer.learning_rate=0.5"
    )
    assert ended.exit_code == 7
    assert "training.epochs: expected at least" in ended.err
    assert "optimizer.learning_rate was 0.01, is 0.5" in " ".join(ended.err.split())


def test_a_misspelt_key_is_never_allowed(short, command):
    before = (short.path / "run.json").read_bytes()
    ended = command("train", short.path, "--resume", "--allow-changed", "optimizer.learnin_rate")
    assert ended.exit_code == 2
    assert "did you mean 'optimizer.learning_rate'?" in " ".join(ended.err.split())
    assert (short.path / "run.json").read_bytes() == before


def test_keys_of_all_that_is_compared_may_be_allowed():
    for key in ("engine", "engine.threads", "data", "data.fingerprint", "optimizer",
                "model.layers.1.units", "best_checkpoint", "regularization.l2_lambda"):  # fmt: skip
        require_comparable(key)
    assert {name.partition(".")[2] for name in ENGINE} == {
        field.name for field in fields(EngineRecord)
    }


def test_a_named_difference_is_allowed_and_recorded(short, command):
    words = ("optimizer.learning_rate=0.5", "training.epochs=3")
    assert resumed(command, short.path, *words, "--allow-changed", "seed").exit_code == 7
    ended = resumed(command, short.path, *words, "--allow-changed", "optimizer")
    assert ended.exit_code == 0, ended.err
    assert "optimizer.learning_rate was 0.01, is 0.5, as allowed" in ended.err
    changed = json.loads((short.path / "run.json").read_text())["changed"]
    assert changed == [{"key": "optimizer.learning_rate", "then": "0.01", "now": "0.5"}]
    assert "learning_rate: 0.5" in (short.path / "config.yaml").read_text()


def test_a_model_of_another_shape_is_refused_even_when_it_is_allowed(short, command):
    words = ("model.hidden=[9]", "training.epochs=3", "--allow-changed", "model")
    ended = resumed(command, short.path, *words)
    assert ended.exit_code == 7
    assert "model.safetensors" in ended.document["error"]["where"]


def test_another_optimizer_is_refused_even_when_it_is_allowed(short, command):
    words = ("optimizer=sgd", "training.epochs=3", "--allow-changed", "optimizer")
    ended = resumed(command, short.path, *words)
    assert ended.exit_code == 7
    assert "the tensor" in ended.document["error"]["message"]


def test_how_often_is_saved_may_change_at_will(short, command):
    words = ("training.checkpoint.every_steps=5", "training.epochs=3", "name=other")
    assert resumed(command, short.path, *words).exit_code == 0


def test_another_engine_takes_effect_when_it_is_allowed(short, command):
    words = ("training.engine=xla", "training.epochs=3")
    assert resumed(command, short.path, *words).exit_code == 7
    ended = resumed(command, short.path, *words, "--allow-changed", "training.engine")
    assert ended.exit_code == 0, ended.err
    assert ended.document["engine"]["mode"] == "xla"
    changed = json.loads((short.path / "run.json").read_text())["changed"]
    keys = {"training.engine", "engine.mode", "engine.lowerings"}
    assert {entry["key"] for entry in changed} == keys


def test_the_recorded_threads_are_used_however_many_processors_there_are_now(
    train, command, monkeypatch
):
    """The config says auto, then and now; other threads would give other bits."""
    monkeypatch.setattr("bmtrain.engine.runtime.num_processors", lambda: 1)
    run = train("training.threads=auto", "training.epochs=1")
    assert run.ended.exit_code == 0, run.ended.err
    monkeypatch.setattr("bmtrain.engine.runtime.num_processors", lambda: 2)
    ended = resumed(command, run.path, "training.epochs=2")
    assert ended.exit_code == 0, ended.err
    assert ended.document["engine"]["threads"] == 1


def test_another_processor_is_refused(short, command, monkeypatch):
    monkeypatch.setattr("bmtrain.engine.selection.processor_name", lambda: "another")
    ended = resumed(command, short.path, "training.epochs=3")
    assert ended.exit_code == 7
    assert 'is "another"' in ended.document["error"]["message"]
    words = ("training.epochs=3", "--allow-changed", "engine.processor")
    assert resumed(command, short.path, *words).exit_code == 0


def test_a_lost_best_checkpoint_is_refused_and_forgotten_when_that_is_allowed(train, command):
    spoiling = "optimizer={name: sgd, learning_rate: 3.0}"
    run = train("training.epochs=5", "training.checkpoint.every_epochs=1", spoiling)
    best, last = run.checkpoint("best_checkpoint"), run.checkpoint()
    assert best != last
    shutil.rmtree(best)
    ended = resumed(command, run.path, "training.epochs=6")
    assert ended.exit_code == 7
    assert "best_checkpoint was" in ended.document["error"]["message"]
    ended = resumed(command, run.path, "training.epochs=6", "--allow-changed", "best_checkpoint")
    assert ended.exit_code == 0, ended.err
    assert ended.document["evaluated"]["epoch"] == 6


def test_what_was_best_counts_no_more_under_another_monitor(train, command):
    """So slow that the loss stays above 1: as an accuracy it could never be surpassed."""
    slow = "optimizer.learning_rate=1e-6"
    stopping = "training.early_stopping={monitor: validation.loss, patience: 9}"
    run = train("training.epochs=2", slow, stopping)
    assert run.summary["metrics"]["validation"]["loss"] > 1
    other = "training.early_stopping.monitor=validation.accuracy"
    words = ("training.epochs=3", other, "--allow-changed", "training.early_stopping")
    ended = resumed(command, run.path, *words)
    assert ended.exit_code == 0, ended.err
    assert ended.document["evaluated"] == {
        "which": "best",
        "epoch": 3,
        "monitor": "validation.accuracy",
    }


@pytest.mark.parametrize(
    ("override", "key"),
    [("training.batch_size=16", "training.batch_size"), ("metrics=[]", "metrics")],
)
def test_in_the_middle_of_an_epoch_its_steps_cannot_change(
    train, command, override, key, monkeypatch
):
    from bmtrain.engine.loop import TrainingLoop

    real = TrainingLoop._end_epoch

    def fail_in_the_second(self, *args):
        if self.state.epoch == 1:
            raise RuntimeError("killed")
        return real(self, *args)

    monkeypatch.setattr(TrainingLoop, "_end_epoch", fail_in_the_second)
    run = train("training.checkpoint.every_steps=5", "training.epochs=3")
    monkeypatch.undo()
    assert run.ended.exit_code == 1
    assert read_checkpoint(run.checkpoint()).state.step_in_epoch > 0
    ended = resumed(command, run.path, override, "--allow-changed", key)
    assert ended.exit_code == 7
    assert f"in the middle of an epoch, and {key} was" in ended.document["error"]["message"]


# --- what a stranger may have put there ---------------------------------------------------


@pytest.mark.usefixtures("nothing_hangs")
@pytest.mark.parametrize("name", ["config.yaml", "summary.json", "metrics.jsonl", "log.txt"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_link_or_a_pipe_in_the_run_directory_is_refused_before_it_is_opened(
    trained, command, tmp_path, name, kind
):
    path, mine = tmp_path / "run", tmp_path / "mine"
    shutil.copytree(trained("graph", "training.engine=graph").path, path)
    (path / name).unlink()
    mine.write_text("password: [")  # where it is read as one of ours, that is told
    before = mine.read_bytes()
    if kind == "link":
        (path / name).symlink_to(mine)
    else:
        os.mkfifo(path / name)
    ended = resumed(command, path, "training.epochs=4")
    assert ended.exit_code == 7
    assert ended.document["error"]["where"] == str(path / name)
    assert "links and devices are refused" in ended.document["error"]["message"]
    assert "password" not in ended.out + ended.err
    assert mine.read_bytes() == before


def test_the_config_of_a_run_names_no_other_file(trained, command, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(trained("graph", "training.engine=graph").path, path)
    (tmp_path / "secret.yaml").write_text("password: 123\n")
    config = path / "config.yaml"
    config.write_text(f"extends: {tmp_path}/secret.yaml\n{config.read_text()}")
    ended = resumed(command, path, "training.epochs=4")
    assert ended.exit_code == 2
    assert "a run's own config is whole" in ended.err
    assert "password" not in ended.out + ended.err


# --- if possible --------------------------------------------------------------------------


def if_possible(command, path, *words):
    words = ("training.engine=graph", *words, "--run-dir", path, "--resume-if-possible", "--json")
    return command("train", "points.yaml", *words)


def test_the_same_command_begins_goes_on_and_leaves_a_finished_run(command, tmp_path, run_of):
    path = tmp_path / "r"
    first = if_possible(command, path, "training.epochs=2")
    assert first.exit_code == 0, first.err
    before = (path / "summary.json").read_bytes()
    assert if_possible(command, path, "training.epochs=2").exit_code == 0
    assert (path / "summary.json").read_bytes() == before
    longer = if_possible(command, path, "training.epochs=3")
    assert longer.exit_code == 0
    whole = run_of("training.epochs=3")
    assert longer.document["metrics"] == whole.summary["metrics"]


@pytest.mark.parametrize("names", [(".lock",), (".lock", "log.txt"), (".lock", ".bmtrain-0.tmp")])
def test_a_start_that_was_killed_before_it_wrote_its_config_begins_anew(command, tmp_path, names):
    for word in ("--resume-if-possible", "--json"):
        path = tmp_path / word
        path.mkdir()
        for name in names:
            (path / name).touch()
        words = ("training.engine=graph", "training.epochs=1", "--run-dir", path, word)
        assert command("train", "points.yaml", *words).exit_code == 0
        assert not (path / ".bmtrain-0.tmp").exists()


def test_a_directory_of_something_else_is_refused_and_left_alone(command, tmp_path):
    (tmp_path / "log.txt").write_text("mine")
    ended = if_possible(command, tmp_path)
    assert ended.exit_code == 6
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]
    assert (tmp_path / "log.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume-if-possible",), "needs --run-dir"),
        (("--allow-changed", "seed"), "--allow-changed is about going on"),
    ],
)
def test_options_that_make_no_sense_alone_are_usage_errors(command, words, said):
    ended = command("train", "points.yaml", *words)
    assert ended.exit_code == 2
    assert said in ended.err


def test_a_damaged_log_is_told_with_its_line(short, command):
    log = short.path / "metrics.jsonl"
    content = log.read_bytes()
    log.write_bytes(content.replace(b'"train"', b'"trzin"', 1))
    ended = resumed(command, short.path, "training.epochs=3")
    assert ended.exit_code == 7
    assert "line 1 is damaged" in ended.document["error"]["message"]
    log.write_bytes(content[:-20])
    ended = resumed(command, short.path, "training.epochs=3")
    assert ended.exit_code == 7
    assert "lines are lost" in ended.document["error"]["message"]


@pytest.mark.parametrize("damage", [False, True])
def test_a_run_whose_checkpoints_were_taken_away_is_refused_not_trained_over(
    short, command, damage
):
    shutil.rmtree(short.path / "checkpoints")
    if damage:
        (short.path / "summary.json").write_text('{"status": "comp')
    before = (short.path / "metrics.jsonl").read_bytes()
    ended = resumed(command, short.path, "training.epochs=3")
    assert ended.exit_code == 7
    assert "no checkpoint is there" in ended.document["error"]["message"]
    assert (short.path / "metrics.jsonl").read_bytes() == before
