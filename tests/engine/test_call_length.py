"""How long a compiled call is: about a fifth of a second, or as the config says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def call_length(runtime):
    from bmtrain.engine.loop import CallLength

    return CallLength


def test_a_fixed_length_is_kept_but_for_the_epochs_end(call_length):
    length = call_length(7)
    length.learn(7, 1e-5)
    assert (length.next(100, 0), length.next(7, 0), length.next(3, 0)) == (7, 7, 3)


def test_calls_grow_at_most_eightfold_and_settle_at_a_fifth_of_a_second(call_length):
    length, step_s, taken = call_length(None), 1e-4, []
    for _ in range(6):
        steps = length.next(10**9, 0)
        taken.append(steps)
        length.learn(steps, steps * step_s)
    assert taken[:3] == [16, 128, 1024]
    assert taken[-1] == pytest.approx(0.2 / step_s, rel=0.01)


def test_slow_steps_shorten_the_calls_to_no_less_than_one(call_length):
    length = call_length(None)
    length.learn(16, 16 * 5.0)
    assert length.next(100, 0) == 1


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1e6)), max_size=20))
def test_a_call_has_at_least_one_step_and_no_more_than_remain(call_length, calls):
    length = call_length(None)
    for remaining, elapsed_s in calls:
        steps = length.next(remaining, 0)
        assert 1 <= steps <= remaining
        length.learn(steps, elapsed_s)


@given(st.integers(1, 50), st.integers(0, 10**6), st.integers(1, 10**6))
def test_no_call_runs_past_a_step_at_which_it_must_pause(call_length, every, step, remaining):
    steps = call_length(1000, pause_every=every).next(remaining, step)
    assert 1 <= steps <= remaining
    assert (step + steps) // every <= step // every + 1
    assert (step + steps) % every == 0 or step // every == (step + steps) // every
