"""Lines that fit, and documents."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.progress import epoch_line, progress_line
from bmtrain.cli.stream import ASCII, UNICODE
from bmtrain.events import EpochDone, StepsDone


def steps(**changes):
    figures = {"loss": 0.261, "penalty": 0.1, "objective": 0.361, "accuracy": 0.925}
    fields = {
        "epoch": 2,
        "num_epochs": 5,
        "step": 900,
        "steps_per_epoch": 1875,
        "figures": figures,
        "examples_per_s": 98_123.4,
        "remaining_s": 12.4,
    }
    return StepsDone(**{**fields, **changes})


def test_the_live_line_says_it_all_in_80_columns():
    event = steps()
    assert progress_line(event, 79, UNICODE) == (
        "epoch 2/5 ━━━━─────  98,123 examples/s  loss 0.2610  accuracy 0.9250  0:12 left"
    )
    assert "####" in progress_line(event, 100, ASCII)


@given(
    width=st.integers(1, 200),
    step=st.integers(0, 2000),
    num_epochs=st.integers(2, 10**6),
    figures=st.dictionaries(st.sampled_from(["loss", "penalty", "accuracy"]), st.floats()),
)
def test_the_live_line_never_breaks(width, step, num_epochs, figures):
    line = progress_line(steps(step=step, num_epochs=num_epochs, figures=figures), width, UNICODE)
    assert len(line) <= width
    assert line.startswith("epoch 2/"[:width])


def epoch(**changes):
    fields = {
        "epoch": 3,
        "num_epochs": 10,
        "step": 900,
        "train": {"loss": 0.261, "accuracy": 0.925},
        "validation": {"loss": 0.13, "accuracy": 0.96},
        "learning_rate": 1e-3,
        "epoch_s": 0.61,
        "examples_per_s": 98e3,
        "improved": True,
    }
    return EpochDone(**{**fields, **changes})


def test_an_epochs_line_is_whole_where_nothing_limits_it():
    assert epoch_line(epoch(), None) == (
        "epoch  3/10  loss 0.2610  accuracy 0.9250  validation.loss 0.1300  "
        "validation.accuracy 0.9600  0.61 s  98,000 examples/s"
    )
    assert epoch_line(epoch(validation=None), None).endswith(
        "accuracy 0.9250  0.61 s  98,000 examples/s"
    )


def test_thousands_of_epochs_are_told_apart_from_hundreds():
    event = epoch(epoch=99, num_epochs=2907, validation=None)
    assert epoch_line(event, 40) == "epoch    99/2,907  loss 0.2610"
    assert progress_line(steps(epoch=1234, num_epochs=2907), 30, ASCII).startswith(
        "epoch 1,234/2,907"
    )


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "epoch  3/10  loss 0.2610  accuracy 0.9250  val loss 0.1300  val accuracy 0.9600"),
        (64, "epoch  3/10  loss 0.2610  val loss 0.1300  val accuracy 0.9600"),
        (44, "epoch  3/10  loss 0.2610  val loss 0.1300"),
        (20, "3/10  loss 0.2610"),
        (10, "3/10  loss 0.2610"),
    ],
)
def test_an_epochs_line_keeps_what_matters_most(width, line):
    assert epoch_line(epoch(), width) == line


def test_json_is_valid_whatever_is_in_it():
    import json
    from pathlib import Path

    import numpy as np

    document = {
        "nan": math.nan,
        "inf": [math.inf, 1.5],
        "path": Path("a/b"),
        3: (True, None),
        "array": np.array([1.0, np.nan], np.float32),
        "scalar": np.int32(7),
        "odd": "\udcff",
    }
    assert json.loads(json_text(document)) == {
        "nan": None,
        "inf": [None, 1.5],
        "path": "a/b",
        "3": [True, None],
        "array": [1.0, None],
        "scalar": 7,
        "odd": "\udcff",
    }


def test_where_room_is_scarce_the_penalty_is_left_to_the_log():
    figures = {"loss": 0.261, "penalty": 0.1, "objective": 0.361, "accuracy": 0.925}
    event = epoch(train=figures, validation=None)
    assert "penalty 0.1000  objective 0.3610" in epoch_line(event, None)
    assert epoch_line(event, 60) == "epoch  3/10  loss 0.2610  accuracy 0.9250  0.61 s"


def test_the_bar_of_a_full_batch_shows_the_training():
    event = steps(epoch=500, num_epochs=1000, step=1, steps_per_epoch=1)
    line = progress_line(event, 60, UNICODE)
    assert abs(line.count("━") - line.count("─")) <= 1
