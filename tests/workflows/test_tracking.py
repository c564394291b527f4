"""What trackers are told, by TensorBoard's own reader; a broken one costs a warning, no more."""

import warnings

import pytest

from bmtrain.workflows.tracking.tensorboard import TensorBoardTracker


def read(directory):
    """Tag -> its (step, value) pairs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        accumulator = EventAccumulator(str(directory)).Reload()
        return {
            tag: [(event.step, event.value) for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]
        }


def test_tensorboard_reads_the_figures_of_the_log(in_process, train):
    run = train("track.tensorboard=true")
    assert run.ended.exit_code == 0, run.ended.err
    found = read(run.path / "tensorboard")
    for split in ("train", "validation"):
        for name in ("loss", "penalty", "objective", "accuracy"):
            expected = [(line["step"], pytest.approx(line[split][name])) for line in run.epochs]
            assert found[f"{split}/{name}"] == expected
    expected = [(line["step"], pytest.approx(line["learning_rate"])) for line in run.epochs]
    assert found["learning_rate"] == expected
    last_step = run.summary["steps_completed"]
    for name, value in run.summary["metrics"]["test"].items():
        assert found[f"test/{name}"] == [(last_step, pytest.approx(value))]


@pytest.mark.long
def test_tracking_changes_no_bit(trained, reference):
    tracked = trained("tracked", "track.tensorboard=true")
    assert tracked.ended.exit_code == 0, tracked.ended.err
    assert tracked.bits() == reference.bits()
    assert tracked.epochs_but_times == reference.epochs_but_times


def test_without_being_asked_nothing_is_tracked(reference):
    assert not (reference.path / "tensorboard").exists()


def test_a_run_that_is_gone_on_with_shows_each_step_once(in_process, tmp_path):
    """What was tracked after the last checkpoint, and lost with a kill, is void."""
    first = TensorBoardTracker(tmp_path / "tensorboard", step=0)
    for step in (10, 20, 30):
        first.scalars(step, {"train/loss": step})
    second = TensorBoardTracker(tmp_path / "tensorboard", step=20)
    for step in (30, 40):
        second.scalars(step, {"train/loss": step + 0.5})
    expected = [(10, 10.0), (20, 20.0), (30, 30.5), (40, 40.5)]
    assert read(tmp_path / "tensorboard") == {"train/loss": expected}


def test_tracking_may_be_begun_when_a_run_is_gone_on_with(train, command):
    run = train("training.epochs=1")
    ended = command(
        "train", run.path, "--resume", "training.epochs=2", "track.tensorboard=true", "--json"
    )
    assert ended.exit_code == 0, ended.err
    steps = [step for step, _ in read(run.path / "tensorboard")["train/loss"]]
    assert steps == [run.epochs[-1]["step"]]


@pytest.mark.parametrize("method", ["__init__", "scalars", "close"])
def test_a_tracker_that_fails_is_dropped_with_one_warning(train, monkeypatch, method):
    def broken(*_args, **_kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(TensorBoardTracker, method, broken)
    run = train("track.tensorboard=true")
    assert (run.ended.exit_code, run.summary["status"]) == (0, "completed")
    words = "track.tensorboard: No space left on device; the training goes on without it"
    assert run.ended.err.count(words) == 1
    assert len(run.epochs) == 3


def test_events_are_not_written_through_a_link(train, command, tmp_path):
    run = train("training.epochs=1")
    (tmp_path / "elsewhere").mkdir()
    (run.path / "tensorboard").symlink_to(tmp_path / "elsewhere")
    ended = command("train", run.path, "--resume", "training.epochs=2", "track.tensorboard=true")
    assert ended.exit_code == 7
    assert "tensorboard: not a directory; links are refused" in ended.err
    assert not list((tmp_path / "elsewhere").iterdir())
