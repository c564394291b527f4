"""Runs that do not complete: what is kept, what is said, and the exit code."""

import json
import signal
import threading
from contextlib import closing

import pytest

from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.errors import EnvironmentFault, Interrupted
from bmtrain.events import EpochDone, RunFinished
from bmtrain.workflows.endings import interrupted_early

STATUS = {1: "failed", 5: "diverged", 6: "failed", 130: "interrupted", 143: "interrupted"}
SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM]


def assert_told(run, exit_code):
    """The summary on disk and the document agree on how it ended."""
    assert run.ended.exit_code == exit_code, run.ended.err
    summary, document = run.summary, run.ended.document
    for told in (summary, document):
        assert (told["status"], told["exit_code"]) == (STATUS[exit_code], exit_code)
        assert told["run_dir"] == str(run.path)
    same = ("code", "message", "where") if exit_code == 1 else ("code", "message", "where", "hint")
    for key in same:  # a bug's hint names the file with the traceback, which is written last
        assert summary["error"][key] == document["error"][key]
    assert "Traceback" not in run.ended.out + run.ended.err


def test_divergence_names_the_step_and_keeps_the_last_good_checkpoint(train, command):
    """Each step multiplies the weights by about −α: some steps are finite, then none."""
    run = train(
        "optimizer={name: gradient_descent, learning_rate: 1.0e+3}",
        "training.epochs=2000",
        "training.batch_size=full",
        "loss=half_mean_squared_error",
        "data.task=classification",
        "model={layers: [{type: dense, units: 3}]}",
        "regularization.l2_lambda=0",
        "training.checkpoint.every_epochs=1",
    )
    assert_told(run, 5)
    summary = run.summary
    assert "not finite at step" in summary["error"]["message"]
    assert summary["epochs_completed"] >= 1
    step = int(summary["error"]["message"].split("step ")[1].split(" ")[0].replace(",", ""))
    assert step == summary["epochs_completed"] + 1  # one step per epoch
    assert "learning_rate" in run.ended.err
    last = read_checkpoint(run.checkpoint())
    assert last.state.epoch == summary["epochs_completed"]
    assert command("eval", run.path, "--json").exit_code == 0
    assert not (run.path / "predictions").exists()


def test_divergence_in_the_first_call_leaves_no_checkpoint(train):
    run = train("optimizer={name: sgd, learning_rate: 1.0e+30}", "training.epochs=50")
    assert_told(run, 5)
    assert run.summary["steps_completed"] == 0
    assert run.summary["checkpoint"] is None
    assert run.epochs == []


def test_a_gpu_that_is_not_there_is_exit_6_and_says_what_is_missing(train):
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    run = train("--device", "gpu")
    assert_told(run, 6)
    assert run.ended.document["error"]["message"].startswith("no GPU: ")
    assert "--device cpu" in run.ended.err


def _raise_fault(*args, **kwargs):
    raise EnvironmentFault("no space left", where="/disk", hint="make room")


def _raise_bug(*args, **kwargs):
    raise ZeroDivisionError("a bug")


def _raise_memory(*args, **kwargs):
    raise MemoryError


@pytest.mark.parametrize(
    ("fault", "exit_code"), [(_raise_fault, 6), (_raise_bug, 1), (_raise_memory, 6)]
)
@pytest.mark.parametrize(
    "where",
    [
        "bmtrain.workflows.training.execution.build_session",
        "bmtrain.checkpoint.store.CheckpointStore.save",
        "bmtrain.workflows.training.finishing.write_predictions",
    ],
)
def test_a_failure_leaves_a_summary_that_says_so(train, monkeypatch, where, fault, exit_code):
    monkeypatch.setattr(where, fault)
    run = train("training.epochs=2")
    assert_told(run, exit_code)
    assert "ended: " in (run.path / "log.txt").read_text()


def test_a_bug_leaves_its_traceback_in_the_log_and_one_line_on_the_screen(train, monkeypatch):
    monkeypatch.setattr("bmtrain.workflows.training.execution.build_session", _raise_bug)
    run = train()
    assert "ZeroDivisionError: a bug" in (run.path / "log.txt").read_text()
    assert "Traceback" in (run.path / "log.txt").read_text()
    assert "log.txt" in run.ended.err


def test_a_failed_save_keeps_the_checkpoint_before_it(train, monkeypatch):
    from bmtrain.checkpoint.store import CheckpointStore

    real, saves = CheckpointStore.save, []

    def save(self, checkpoint, *, best):
        saves.append(checkpoint.state.step)
        if len(saves) > 1:
            _raise_fault()
        return real(self, checkpoint, best=best)

    monkeypatch.setattr(CheckpointStore, "save", save)
    run = train("training.epochs=5", "training.checkpoint.every_epochs=1")
    assert_told(run, 6)
    assert run.summary["checkpoint"].endswith(f"step-{saves[0]:08d}")
    assert read_checkpoint(run.checkpoint()).state.step == saves[0]


def test_an_error_in_a_thread_ends_the_training_and_keeps_what_is_saved(
    train, command, monkeypatch
):
    """Python would print it and go on."""
    from bmtrain.workflows.training.saving import Saver

    real = Saver.after_epoch

    def after_epoch(self, state, **figures):
        if state.epoch == 3:
            thread = threading.Thread(target=_raise_bug)
            thread.start()
            thread.join()
        return real(self, state, **figures)

    monkeypatch.setattr(Saver, "after_epoch", after_epoch)
    run = train("training.epochs=6", "training.checkpoint.every_epochs=1")
    assert_told(run, 1)
    assert "ZeroDivisionError: a bug" in (run.path / "log.txt").read_text()
    assert read_checkpoint(run.checkpoint()).state.epoch == run.summary["epochs_completed"] == 3
    assert command("eval", run.path, "--json").exit_code == 0


def test_of_two_errors_the_first_counts(train, monkeypatch):
    """Training diverges, and what was held back cannot be saved either."""
    from bmtrain.workflows.training.saving import Saver

    monkeypatch.setattr(Saver, "keep_best", _raise_fault)
    run = train("optimizer={name: sgd, learning_rate: 1.0e+30}")
    assert_told(run, 5)


def test_nothing_is_made_for_data_that_does_not_fit(command, tmp_path):
    run_dir = tmp_path / "run"
    words = ("model={layers: [{type: dense, units: 2, activation: softmax}]}", "--run-dir", run_dir)
    ended = command("train", "points.yaml", *words)
    assert ended.exit_code == 3
    assert "layer 0 (dense) gives 2 outputs, expected 3: the data has 3 classes" in ended.err
    assert "Nothing was trained" in ended.err
    assert not run_dir.exists()


@pytest.mark.parametrize("split", ["validation", "test"])
def test_an_expectation_about_a_split_that_the_data_lacks_is_refused(
    command, tmp_path, split, images
):
    """An NPZ file might bring a split, so only the data can tell."""
    ended = command("train", images, "--run-dir", tmp_path / "run", "--expect", f"{split}.loss < 9")
    assert ended.exit_code == 3
    assert f"there is no {split} split: the data has train" in ended.err
    assert "--expect 1" in ended.err
    assert not (tmp_path / "run").exists()


@pytest.fixture
def images(tmp_path):
    import numpy as np

    np.savez(tmp_path / "a.npz", x_train=np.eye(4, dtype=np.float32), y_train=np.arange(4) % 2)
    config = tmp_path / "a.yaml"
    config.write_text(
        "name: a\ndata: {source: ./a.npz}\nmodel: {type: mlp, hidden: []}\n"
        "loss: sparse_categorical_crossentropy\noptimizer: adam\ntraining: {epochs: 1}\n"
    )
    return config


# --- signals ----------------------------------------------------------------------------


def num_lines(path):
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[] if number == signal.SIGTERM else [pytest.mark.long])
        for number in SIGNALS
    ],
)
def test_a_signal_in_the_middle_saves_the_state(started, wait_for, number):
    process, path = started("training.epochs=1000000", "training.engine=graph")
    wait_for(lambda: num_lines(path / "metrics.jsonl") >= 2, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    document = json.loads(out)
    assert document["status"] == "interrupted"
    assert document["exit_code"] == 128 + number
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["status"], summary["exit_code"]) == ("interrupted", 128 + number)
    saved = read_checkpoint(path / "checkpoints" / summary["checkpoint"].rsplit("/", 1)[1])
    assert saved.state.step == summary["steps_completed"] >= 48
    assert saved.log_bytes == (path / "metrics.jsonl").stat().st_size
    assert f"bmtrain train {path} --resume" in err
    assert "Traceback" not in err


def test_a_signal_before_the_first_step_ends_the_run_cleanly(started, wait_for):
    """After the run directory is made, while TensorFlow is being imported."""
    process, path = started()
    wait_for((path / "config.yaml").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert json.loads(out)["status"] == "interrupted"
    assert "Traceback" not in err
    summary = json.loads((path / "summary.json").read_text())
    assert (summary["status"], summary["exit_code"]) == ("interrupted", 130)
    assert summary["steps_completed"] == 0


def test_events_end_with_the_finished_run(in_process, project, tmp_path):
    from bmtrain.workflows.train import TrainRequest, train

    request = TrainRequest(
        config=project / "points.yaml",
        overrides=("training.engine=graph",),
        run_dir=tmp_path / "run",
    )
    events = list(train(request))
    assert isinstance(events[-1], RunFinished)
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [1, 2, 3]


def test_a_run_stays_complete_when_nobody_asks_for_what_comes_after_its_end(
    in_process, project, tmp_path
):
    from bmtrain.workflows.train import TrainRequest, train

    request = TrainRequest(
        config=project / "points.yaml",
        overrides=("training.engine=graph", "training.epochs=1"),
        run_dir=tmp_path / "run",
    )
    with closing(train(request)) as events:
        finished = next(event for event in events if isinstance(event, RunFinished))
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == finished.summary["status"] == "completed"
    assert "test" in summary["metrics"]


def test_a_signal_while_the_data_is_read_says_that_nothing_is_saved(tmp_path):
    def ended(run_dir):
        with (
            pytest.raises((Interrupted, KeyboardInterrupt)) as caught,
            interrupted_early(run_dir),
        ):
            raise KeyboardInterrupt
        assert isinstance(caught.value, Interrupted)
        return caught.value.message, str(caught.value.hint)

    message, hint = ended(tmp_path / "r")
    assert message == "interrupted before the first step; nothing is saved"
    assert hint == "the same command begins anew"
    (tmp_path / "config.yaml").touch()
    message, hint = ended(tmp_path)
    assert message == "interrupted before the first step; nothing is lost"
    assert "--resume" in hint
