"""The sentences that read a report's curves, against histories that were drawn by hand."""

import math

import pytest

from bmtrain.workflows.reporting.curve_reading import read_curves, trend


def curve(*values):
    return tuple(enumerate(values, start=1))


FALLEN = curve(*(1 + 2 * 0.4**epoch for epoch in range(30)))
FALLING = curve(*(3 - 0.1 * epoch for epoch in range(20)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (FALLEN, "level"),
        (FALLING, "falling"),
        (curve(3, 1, 1, 1, 1, 1, 1, 1.1, 1.2, 1.3), "rising"),
        (curve(2, 2, 2.1, 2, 2.2), "never"),
        (curve(3, 2, 1), "unknown"),
        (curve(5), "unknown"),
    ],
)
def test_the_end_of_a_curve_is_judged_against_its_whole_fall(values, kind):
    assert trend(values).kind == kind


def test_a_straight_line_falls_in_its_last_fifth_by_what_it_falls_there():
    found = trend(FALLING)
    assert found.span == 4
    assert math.isclose(found.late, 0.3)
    assert math.isclose(found.fall, 1.9)
    (sentence, _) = read_curves(FALLING, ())
    assert "over the last 4 epochs by 16\u00a0% of its whole fall" in sentence


def test_a_wiggle_about_a_level_is_no_trend():
    values = [2, 1.2, *(1 + 0.02 * (-1) ** epoch for epoch in range(18))]
    assert trend(curve(*values)).kind == "level"


def test_the_level_begins_where_all_later_values_are_near_the_least():
    found = trend(curve(2.0, 1.2, 1.04, 1.1, 1.04, 1.0, 1.03))
    assert (found.level_from, found.best, found.least) == (5, 6, 1.0)


@pytest.mark.parametrize(
    ("train", "validation", "said", "unsaid"),
    [
        (FALLEN, (), ["levelled off", "no validation split"], ["It overfits", "still falling"]),
        (FALLEN, FALLEN, ["hardly changed from epoch 5 on"], ["It overfits", "risen"]),
        (FALLING, FALLING, ["The validation loss was still falling"], ["It overfits", "levelled"]),
        (
            curve(2, 1, 0.5, 0.2, 0.1, 0.05),
            curve(2, 1.2, 1.0, 1.1, 1.3, 1.5),
            ["least in epoch 3 (1.0000) and had risen to 1.5000", "It overfits."],
            ["hardly changed"],
        ),
        (
            curve(2, 1, 0.5, 0.2, 0.1, 0.05),
            curve(2, 1.2, 1.0, 0.99, 0.98, 0.98),
            ["hardly changed from epoch 3 on", "0.0500 and the validation loss 0.9800"],
            ["risen"],
        ),
        # With dropout a train loss may stay above: nothing overfits.
        (curve(3, 2, 1.5, 1.4, 1.4), curve(2, 1.2, 1, 1, 1), ["hardly changed"], ["It overfits"]),
        # Twice as much, and both next to nothing.
        (curve(1, 0.1, 1e-3, 1e-3, 1e-3), curve(1, 0.1, 3e-3, 3e-3, 3e-3), [], ["It overfits"]),
        (curve(1, 2, 3, 4, 5), curve(1, 2, 3, 4, 5), ["did not fall", "never fell"], ["risen"]),
    ],
)
def test_sentences_follow_from_the_curves(train, validation, said, unsaid):
    text = " ".join(read_curves(train, validation))
    assert all(words in text for words in said), text
    assert not any(words in text for words in unsaid), text


def test_of_a_thinned_log_epochs_are_counted_and_not_its_entries():
    thinned = tuple((10 * epoch + 1, value) for epoch, (_, value) in enumerate(FALLEN))
    assert trend(thinned).span == 51
    assert "hardly changed from about epoch 41 on" in " ".join(read_curves(thinned, thinned))


def test_without_an_epoch_nothing_is_said():
    assert read_curves((), ()) == ()
