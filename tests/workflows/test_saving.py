"""When checkpoints appear in a run's directory, and that they change none of its bits."""

import json
import os
from pathlib import Path

import pytest

from bmtrain.checkpoint.read import read_checkpoint


def steps_saved(run):
    """Of every CheckpointSaved in the log, in order."""
    lines = (run.path / "log.txt").read_text().splitlines()
    return [int(line.split("step-")[1][:8]) for line in lines if " CheckpointSaved" in line]


def kept(run):
    return sorted(path.name for path in (run.path / "checkpoints").glob("step-*"))


def test_a_tiny_training_is_saved_at_its_end_alone(train):
    run = train("training.epochs=3", "data.splits.validation=null")
    assert steps_saved(run) == [31 * 3]  # 248 examples in batches of 8


def test_steps_are_saved_where_the_config_says_in_the_middle_of_an_epoch_too(train):
    words = ("training.epochs=2", "training.checkpoint={every_steps: 10, keep: 5}")
    run = train(*words)  # 24 steps an epoch
    assert run.ended.exit_code == 0, run.ended.err
    saved = steps_saved(run)
    assert [step for step in saved if step % 10 == 0] == [10, 20, 30, 40]
    middle = read_checkpoint(run.path / "checkpoints" / "step-00000030")
    assert (middle.state.epoch, middle.state.step_in_epoch) == (1, 6)
    plain = train("training.epochs=2")
    assert run.bits() == plain.bits()
    assert run.bits("best_checkpoint") == plain.bits("best_checkpoint")
    assert run.epochs_but_times == plain.epochs_but_times


@pytest.mark.parametrize("every", [1, 2])
def test_epochs_are_saved_where_the_config_says(train, every):
    words = (f"training.checkpoint={{every_epochs: {every}, keep: 9}}", "training.epochs=4")
    run = train(*words, "data.splits.validation=null")
    assert steps_saved(run) == list(range(31 * every, 31 * 4 + 1, 31 * every))


def test_minutes_are_saved_where_the_config_says(train):
    run = train("training.epochs=1", "training.checkpoint={every_minutes: 1e-9, keep: 99}")
    assert len(steps_saved(run)) > 1
    assert run.ended.exit_code == 0


def test_as_many_are_kept_as_the_config_says_and_the_best_besides(train):
    spoiling = "optimizer={name: sgd, learning_rate: 3.0}"
    run = train("training.epochs=6", "training.checkpoint={every_epochs: 1, keep: 3}", spoiling)
    best = run.checkpoint("best_checkpoint").name
    assert kept(run)[-3:] == ["step-00000096", "step-00000120", "step-00000144"]
    assert set(kept(run)[:-3]) <= {best}


def test_the_log_is_on_the_disk_before_a_checkpoint_that_records_its_length(train, monkeypatch):
    real_fsync, real_rename = os.fsync, os.rename
    flushed, recorded = [0], []

    def fsync(descriptor):
        if Path(f"/dev/fd/{descriptor}").resolve().name == "metrics.jsonl":
            flushed.append(os.fstat(descriptor).st_size)
        real_fsync(descriptor)

    def rename(source, target):
        if Path(target).name.startswith("step-"):
            manifest = json.loads((Path(source) / "manifest.json").read_text())
            recorded.append((manifest["state"]["log_bytes"], flushed[-1]))
        real_rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    run = train("training.epochs=3", "training.checkpoint={every_epochs: 1, keep: 9}")
    assert run.ended.exit_code == 0, run.ended.err
    assert len(recorded) >= 3
    for log_bytes, num_flushed in recorded:
        assert 0 < log_bytes == num_flushed


def test_how_long_saves_took_is_in_the_summary(train):
    run = train("training.epochs=2", "training.checkpoint.every_epochs=1")
    assert 0 < run.summary["timing"]["saving_s"] < run.summary["timing"]["total_s"]
    document = json.loads((run.path / "run.json").read_text())
    assert document["timing"]["saving_s"] == run.summary["timing"]["saving_s"]
