"""Learning-rate schedules through the real commands: resumed to the same bits, or refused."""

import pytest

from tests.workflows.resumed_runs import bits, log_but_times

PLATEAU = (
    "optimizer.learning_rate={name: reduce_on_plateau, initial: 0.05, monitor: train.loss, "
    "patience: 1, min_delta: 10, factor: 0.5, cooldown: 1, warmup: 5 steps}"
)
COSINE = "optimizer.learning_rate={name: cosine, initial: 0.05, warmup: 20%}"

#: At an epoch's end, and in the middle of one.
DAILY = ((PLATEAU, 48), (COSINE, 55))


def rates(path):
    return [line["learning_rate"] for line in log_but_times(path)]


@pytest.mark.parametrize(
    ("words", "num_calls"),
    [
        pytest.param(words, calls, marks=[] if (words, calls) in DAILY else pytest.mark.long)
        for words in (PLATEAU, COSINE)
        for calls in (3, 48, 55)
    ],
)
def test_a_schedule_goes_on_where_the_run_was_interrupted(
    interrupted,
    command,
    run_of,
    words,
    num_calls,
):
    path = interrupted(num_calls, words)
    whole = run_of(words)
    ended = command("train", path, "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(path, ended.document) == bits(whole.path, whole.summary)
    assert log_but_times(path) == log_but_times(whole.path)
    assert len(set(rates(path))) > 1


def test_more_epochs_are_refused_where_the_schedule_is_a_share_of_the_training(run_of, command):
    run = run_of("training.epochs=2", COSINE)
    ended = command("train", run.path, "training.epochs=3", "--resume", "--json")
    assert ended.exit_code == 7
    assert "training.epochs was 2, is 3" in ended.document["error"]["message"]
    allowed = ("--resume", "--allow-changed", "training.epochs")
    ended = command("train", run.path, "training.epochs=3", *allowed, "--json")
    assert ended.exit_code == 0, ended.err


def test_more_epochs_are_allowed_where_the_schedule_has_steps_and_epochs(run_of, command):
    word = "optimizer.learning_rate={name: step, initial: 0.05, every: 1 epoch, warmup: 3 steps}"
    run, whole = run_of("training.epochs=2", word), run_of("training.epochs=3", word)
    ended = command("train", run.path, "training.epochs=3", "--resume", "--json")
    assert ended.exit_code == 0, ended.err
    assert bits(run.path, ended.document) == bits(whole.path, whole.summary)
    assert rates(run.path) == pytest.approx([0.05, 0.005, 0.0005])


def test_another_rate_that_is_allowed_is_the_one_that_is_used(run_of, command):
    run = run_of("training.epochs=2")
    allowed = ("--resume", "--allow-changed", "optimizer.learning_rate", "--json")
    for word, epochs in (("optimizer.learning_rate=0.5", 3), (COSINE, 4)):
        ended = command("train", run.path, word, f"training.epochs={epochs}", *allowed)
        assert ended.exit_code == 0, ended.err
    assert rates(run.path) == pytest.approx([0.01, 0.01, 0.5, 0.0001], abs=2e-4)


def test_a_warmup_longer_than_the_training_is_told_with_its_place(command, project):
    config = project / "points.yaml"
    word = "optimizer.learning_rate={name: cosine, initial: 0.05, warmup: 600 steps}"
    ended = command("train", config, word, "--json")
    assert ended.exit_code == 3
    (told,) = ended.document["diagnostics"]
    assert told["key"] == "optimizer.learning_rate.warmup"
    assert told["source"] == "override 1"
    assert "the warm-up must be shorter than the training's 72 steps" in told["message"]


def test_a_schedule_longer_than_the_training_is_warned_of(train):
    run = train("optimizer.learning_rate={name: cosine, initial: 0.05, duration: 600 steps}")
    log = (run.path / "log.txt").read_text()
    assert "'600 steps' is longer than the training's 72 steps: its end is never reached" in log
