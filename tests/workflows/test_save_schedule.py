"""When a save is due, by what the config asks for and by what saves have cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.config.sections.training import CheckpointSection
from bmtrain.training_state import TrainingState
from bmtrain.workflows.training.save_schedule import SaveSchedule


def schedule(**section):
    return SaveSchedule(CheckpointSection(**section), last_save_at_s=0.0)


def at(epoch=0, step=0):
    return TrainingState(epoch=epoch, step=step)


def test_by_default_epochs_are_saved_while_that_costs_a_twentieth_of_the_training():
    by_default = schedule()
    assert not by_default.after_epoch(at(1), train_s=0.59, now_s=1)  # 0.03 s are 5 % of 0.6 s
    assert by_default.after_epoch(at(1), train_s=0.61, now_s=1)
    by_default.saved(0.1, now_s=1)
    # This one and the next, if it takes half as long again: 0.25 s.
    assert not by_default.after_epoch(at(2), train_s=4.9, now_s=2)
    assert by_default.after_epoch(at(2), train_s=5.1, now_s=2)


@given(
    st.lists(st.tuples(st.floats(1e-4, 2), st.floats(1e-4, 0.5)), min_size=1, max_size=60),
)
def test_by_default_saves_never_exceed_their_share_but_for_the_growth_of_the_last(epochs):
    by_default, train_s, previous = schedule(), 0.0, 0.02
    for number, (epoch_s, save_s) in enumerate(epochs, start=1):
        train_s += epoch_s
        if by_default.after_epoch(at(number), train_s=train_s, now_s=train_s):
            by_default.saved(save_s, now_s=train_s)
            assert by_default.saving_s <= 0.05 * train_s + max(0, save_s - 1.5 * previous) + 1e-9
            previous = save_s


def test_what_the_config_asks_for_is_done_whatever_it_costs():
    every_third = schedule(every_epochs=3)
    every_third.saved(1e9, now_s=0)
    due = [every_third.after_epoch(at(n), train_s=1e-3, now_s=0) for n in range(1, 7)]
    assert due == [False, False, True, False, False, True]


def test_steps_count_over_the_whole_training_and_at_the_end_of_an_epoch_too():
    every_ten = schedule(every_epochs=1000, every_steps=10)
    assert [every_ten.after_steps(at(step=n), now_s=0) for n in (5, 10, 11, 20)] == [
        *(False, True, False, True)
    ]
    assert every_ten.after_epoch(at(1, step=30), train_s=1, now_s=0)


def test_minutes_count_from_the_last_save():
    every_minute = schedule(every_epochs=1000, every_minutes=1)
    assert not every_minute.after_steps(at(step=1), now_s=59.9)
    assert every_minute.after_steps(at(step=1), now_s=60)
    every_minute.saved(0.1, now_s=60.1)
    assert not every_minute.after_steps(at(step=2), now_s=120)
    assert every_minute.after_steps(at(step=3), now_s=121)


@pytest.mark.parametrize("section", [{}, {"every_steps": 7}, {"every_minutes": 0.5}])
def test_the_middle_of_an_epoch_is_saved_only_where_that_is_asked_for(section):
    assert schedule(**section).after_steps(at(step=7), now_s=3600) is bool(section)
