"""What a run says of itself, for people: counts, and the lines of log.txt."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bmtrain.training_state import TrainingState
from bmtrain.workflows.training.conducting import _goes_on


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TrainingState(epoch=1, step=8), "going on from step 8: 1 epoch done"),
        (TrainingState(epoch=2907, step=23256), "going on from step 23,256: 2,907 epochs done"),
        (
            TrainingState(epoch=0, step=1, step_in_epoch=1),
            "going on from step 1: 0 epochs done, 1 step into the next",
        ),
    ],
)
def test_what_is_done_is_counted_as_people_do(state, words):
    resumption = SimpleNamespace(checkpoint=SimpleNamespace(state=state))
    assert _goes_on(cast("Any", resumption)) == words
