"""The best weights in memory: which epochs are held, and that those passed over are not lost."""

import math

import pytest

from bmtrain.config.sections.training import CheckpointSection
from bmtrain.errors import Interrupted
from bmtrain.workflows.training import save_schedule
from bmtrain.workflows.training.save_schedule import SaveSchedule

# The best epoch lies between the first, which is held, and the last.
OVERSHOOTING = ("optimizer.learning_rate=0.3", "training.epochs=9")


@pytest.fixture
def again(in_process, monkeypatch):
    """Trainings that hold the best weights once and never again; what they train again."""
    from bmtrain.engine.loop import TrainingLoop

    monkeypatch.setattr(SaveSchedule, "may_hold", lambda *_, **__: False)
    trained, real = [], TrainingLoop.train_again

    def train_again(self, start, epoch):
        trained.append((start.epoch, epoch))
        real(self, start, epoch)

    monkeypatch.setattr(TrainingLoop, "train_again", train_again)
    return trained


@pytest.fixture
def plain(train, monkeypatch):
    """The same run with every best epoch held."""
    with monkeypatch.context() as patched:
        patched.setattr(SaveSchedule, "may_hold", lambda *_, **__: True)
        run = train(*OVERSHOOTING)
    best = run.summary["evaluated"]["epoch"]
    assert 1 < best < 9
    return run


@pytest.mark.parametrize("engine", ["graph", pytest.param("xla", marks=pytest.mark.long)])
def test_a_best_epoch_that_was_passed_over_has_the_bits_that_it_had(engine, train, again):
    run = train(*OVERSHOOTING, f"training.engine={engine}")
    best = run.summary["evaluated"]["epoch"]
    assert again == [(1, best)]
    saved_each = train(
        *OVERSHOOTING,
        f"training.engine={engine}",
        "training.checkpoint={every_epochs: 1, keep: 99}",
    )
    assert again == [(1, best)]  # what was just trained needs no training again
    assert run.bits("best_checkpoint") == saved_each.bits("best_checkpoint")
    assert run.bits() == saved_each.bits()
    assert run.epochs_but_times == saved_each.epochs_but_times
    assert run.summary["metrics"] == saved_each.summary["metrics"]


def test_a_save_in_the_middle_of_an_epoch_goes_on_with_the_bits_that_it_had(
    plain, train, monkeypatch, again
):
    run = train(*OVERSHOOTING, "training.checkpoint={every_steps: 100, keep: 99}")
    assert again  # before the save at step 100 or 200, which refers to the best
    assert run.bits() == plain.bits()
    assert run.bits("best_checkpoint") == plain.bits("best_checkpoint")
    assert run.epochs_but_times == plain.epochs_but_times


def test_an_interrupted_training_keeps_the_best_that_it_passed_over(
    plain, train, command, monkeypatch, again
):
    from bmtrain.engine.loop import TrainingLoop

    best, real = plain.summary["evaluated"]["epoch"], TrainingLoop.events

    def interrupted(self):
        for event in real(self):
            yield event
            if self.state.epoch == best + 1:
                raise Interrupted("the power is about to fail", signal_number=15)

    with monkeypatch.context() as patched:
        patched.setattr(TrainingLoop, "events", interrupted)
        run = train(*OVERSHOOTING)
    assert run.ended.exit_code == 143
    assert again == [(1, best)]
    kept = run.path / "checkpoints" / f"step-{24 * best:08d}"
    assert kept.is_dir()
    assert command("train", run.path, "--resume").exit_code == 0
    assert run.bits() == plain.bits()
    assert run.bits("best_checkpoint") == plain.bits("best_checkpoint")


def test_memory_that_is_out_while_training_again_hides_no_earlier_error(
    plain, train, monkeypatch, again
):
    from bmtrain.engine.loop import TrainingLoop

    best, real = plain.summary["evaluated"]["epoch"], TrainingLoop.events

    def failing(self):
        for event in real(self):
            yield event
            if self.state.epoch == best + 1:
                raise Interrupted("terminated", signal_number=15)

    def out_of_memory(*_):
        raise MemoryError

    monkeypatch.setattr(TrainingLoop, "events", failing)
    monkeypatch.setattr(TrainingLoop, "train_again", out_of_memory)
    run = train(*OVERSHOOTING)
    assert run.ended.exit_code == 143, run.ended.err
    assert run.summary["error"]["message"].startswith("terminated")


def test_under_a_rate_that_follows_a_figure_every_best_epoch_is_held(train, again, monkeypatch):
    """It was another in each of the epochs, and training again knows that of the present one."""
    from bmtrain.workflows.session import Session

    held, real_held = [], Session.held

    def counted(self):
        held.append(1)
        return real_held(self)

    monkeypatch.setattr(Session, "held", counted)
    rate = "{name: reduce_on_plateau, initial: 0.01, monitor: train.loss, patience: 1}"
    run = train(f"optimizer.learning_rate={rate}", "training.epochs=6")
    assert run.ended.exit_code == 0
    assert len(held) > 2  # else the first epoch and the last
    assert again == []


def test_holding_takes_a_fiftieth_of_the_training_whatever_an_epoch_takes():
    hold_s = 0.001
    for epoch_s in (0.0001, 0.001, 0.02, 1.0):
        schedule = SaveSchedule(CheckpointSection(), last_save_at_s=0.0)
        train_s, holds = 0.0, 0
        for _ in range(2000):
            train_s += epoch_s
            if schedule.may_hold(train_s=train_s):
                schedule.held(hold_s)
                holds += 1
            elif holds == 0:  # the first is held whatever it takes
                schedule.held(hold_s)
                holds = 1
        assert (holds - 1) * hold_s <= save_schedule.HOLDING_SHARE * train_s
        wanted = min(2000, train_s * save_schedule.HOLDING_SHARE / hold_s)
        assert holds >= 0.8 * math.floor(wanted)


def test_a_hold_that_was_slow_once_is_not_taken_for_the_rule():
    schedule = SaveSchedule(CheckpointSection(), last_save_at_s=0.0)
    schedule.held(0.001)
    schedule.held(5.0)  # counts as ten
    assert not schedule.may_hold(train_s=0.59)
    assert schedule.may_hold(train_s=0.61)
    assert schedule.saving_s == 5.001
