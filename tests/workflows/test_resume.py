"""``train RUN --resume``: an interrupted run ends as if it had never been stopped."""

import json
import shutil
import signal

import pytest

from tests.workflows.resumed_runs import bits, log_but_times


@pytest.mark.parametrize(
    "num_calls",
    [pytest.param(1, marks=pytest.mark.long), 24, 31, pytest.param(71, marks=pytest.mark.long)],
)
def test_a_resumed_run_ends_in_the_bits_of_one_that_was_never_stopped(
    interrupted, command, run_of, num_calls
):
    """In the first epoch, at its end, in the middle, and one step before the end."""
    path = interrupted(num_calls)
    whole = run_of()
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)


def test_a_resumed_epoch_varies_its_examples_as_it_would_have(interrupted, command, run_of):
    words = ("training.augmentation=[{type: noise, stddev: 0.2}, {type: dropout, rate: 0.1}]",)
    path = interrupted(31, *words)
    whole = run_of(*words)
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)


def test_a_run_ended_by_sigkill_goes_on_to_the_same_bits(started, wait_for, command, run_of):
    """Killed between two saves: the log is cut back to what the last checkpoint knows."""
    words = ("training.epochs=150", "training.engine=graph")
    process, path = started(*words)
    wait_for(lambda: len(list(path.glob("checkpoints/step-*"))) > 1, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    whole = run_of("training.epochs=150")
    assert log_but_times(path) == log_but_times(whole.path)
    assert bits(path, ended.document) == bits(whole.path, whole.summary)


def test_more_epochs_are_allowed_and_other_settings_refused(run_of, command):
    run = run_of("training.epochs=2")
    whole = run_of("training.epochs=3")
    for override in ("optimizer.learning_rate=0.5", "training.batch_size=16", "seed=9"):
        ended = command("train", run.path, override, "--resume", "--json")
        assert ended.exit_code == 7
        assert override.split("=")[0] in ended.document["error"]["message"]
    ended = command("train", run.path, "training.epochs=3", "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(run.path, ended.document) == bits(whole.path, whole.summary)


def test_a_finished_run_resumed_is_finished(run_of, command):
    run = run_of("training.epochs=2")
    before = bits(run.path, run.summary)
    ended = command("train", run.path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(run.path, ended.document) == before


def test_a_run_killed_in_its_last_save_is_tidied_though_nothing_is_saved_again(
    trained, command, tmp_path
):
    path, checkpoints = tmp_path / "run", tmp_path / "run" / "checkpoints"
    shutil.copytree(trained("graph", "training.engine=graph").path, path)
    names = {entry.name for entry in checkpoints.iterdir()}
    index = (checkpoints / "index.json").read_bytes()
    # It was killed between the name of its last checkpoint and the index.
    (path / "summary.json").unlink()
    (checkpoints / "index.json").unlink()
    (checkpoints / ".step-00000024.discarded").mkdir()
    (checkpoints / ".step-00000024.discarded" / "manifest.json").touch()
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert {entry.name for entry in checkpoints.iterdir()} == names
    assert (checkpoints / "index.json").read_bytes() == index


def test_other_data_is_refused(run_of, command, project, tmp_path):
    own = tmp_path / "own.csv"
    shutil.copy(project / "points.csv", own)
    run = run_of(f"data.source={own}", "training.epochs=1")
    own.write_text(own.read_text().replace("0.", "1.", 1))
    ended = command("train", run.path, "--resume", "--json")
    assert ended.exit_code == 7
    assert "data.fingerprint was " in ended.document["error"]["message"]


def test_another_version_is_refused_and_leaves_the_run_as_it_was(run_of, command, monkeypatch):
    run = run_of("training.epochs=1")
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name != "log.txt"]
    before = {file: file.read_bytes() for file in files if file.name != ".lock"}
    monkeypatch.setattr("keras.__version__", "3.99.0")
    ended = command("train", run.path, "training.epochs=2", "--resume", "--json")
    assert ended.exit_code == 7
    assert "engine.keras was" in ended.document["error"]["message"]
    assert "3.99.0" in ended.document["error"]["message"]
    assert {file: file.read_bytes() for file in before} == before


def test_a_damaged_last_checkpoint_is_passed_over_for_the_one_before(run_of, command):
    run = run_of("training.epochs=12", "training.checkpoint.every_epochs=4")
    whole = bits(run.path, run.summary), log_but_times(run.path)
    model = run.checkpoint() / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1])
    ended = command("train", run.path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert (bits(run.path, ended.document), log_but_times(run.path)) == whole
    assert "passed over" in (run.path / "log.txt").read_text()


def test_what_is_no_run_is_a_usage_error(command, tmp_path):
    ended = command("train", tmp_path, "--resume", "--json")
    assert ended.exit_code == 2
    assert "has no config.yaml" in ended.document["error"]["message"]


def test_a_shorter_training_is_refused_and_nothing_changes(run_of, command):
    run = run_of("training.epochs=2")
    before = (run.path / "config.yaml").read_bytes()
    ended = command("train", run.path, "training.epochs=1", "--resume", "--json")
    assert ended.exit_code == 7
    assert "expected at least the run's 2, got 1" in ended.document["error"]["message"]
    assert (run.path / "config.yaml").read_bytes() == before


def test_a_finished_run_is_left_as_it_is_when_resumed(run_of, command):
    run = run_of("training.epochs=2")
    files = [file for file in run.path.rglob("*") if file.is_file() and file.name != ".lock"]
    before = {file: file.read_bytes() for file in files if file.name != "log.txt"}
    ended = command("train", run.path, "--resume")
    assert ended.exit_code == 0
    assert "the run is complete" in ended.err
    assert {file: file.read_bytes() for file in before} == before


def test_the_summary_counts_all_starts_and_run_json_keeps_the_earlier_ones(interrupted, command):
    path = interrupted(31)
    ended = command("train", path, "--resume", "--json")
    summary = ended.document
    assert len(summary["timing"]["epoch_s"]) == summary["epochs_completed"]
    earlier = json.loads((path / "run.json").read_text())["earlier"]
    assert len(earlier) == 1
    assert "command" in earlier[0]


def test_a_damaged_checkpoint_is_warned_about_and_never_removed(run_of, command):
    run = run_of("training.epochs=12", "training.checkpoint.every_epochs=4")
    damaged = run.checkpoint()
    (damaged / "model.safetensors").write_bytes(b"")
    ended = command("train", run.path, "--resume")
    assert ended.exit_code == 0, ended.err
    assert f"passed over {damaged}" in ended.err
    assert damaged.is_dir()


def test_a_checkpoint_of_a_newer_format_is_refused_and_left_alone(run_of, command):
    run = run_of("training.epochs=2")
    manifest = run.checkpoint() / "manifest.json"
    sealed = manifest.read_bytes().replace(b'"format_version": 1', b'"format_version": 9')
    body = sealed[: sealed.index(b'"sha256"', len(sealed) - 120)]
    manifest.write_bytes(body + b'"other": 0\n}\n')
    before = manifest.read_bytes()
    for words in (("train", run.path, "--resume"), ("eval", run.path)):
        ended = command(*words)
        assert ended.exit_code == 7, ended.err
        assert "version 9" in ended.err
    assert manifest.read_bytes() == before


def test_another_config_is_said_to_be_one_not_a_damaged_tensor(run_of, command):
    run = run_of("training.epochs=1")
    ended = command("train", run.path, "model.hidden=[9]", "--resume", "--json")
    assert ended.exit_code == 7
    assert "model.hidden was [8], is [9]" in ended.document["error"]["message"]


def test_resume_and_run_dir_exclude_each_other(run_of, command, tmp_path):
    run = run_of("training.epochs=1")
    ended = command("train", run.path, "--resume", "--run-dir", tmp_path / "q", "--json")
    assert ended.exit_code == 2
    assert not (tmp_path / "q").exists()
