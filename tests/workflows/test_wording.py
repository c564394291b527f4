"""What a run says of itself, for people: counts, and the lines of log.txt."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bmtrain import events
from bmtrain.training_state import TrainingState
from bmtrain.workflows.training.conducting import _goes_on
from bmtrain.workflows.training.log_lines import log_line


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


TRAIN = {"loss": 0.26101234, "penalty": 0.0, "objective": 0.26101234, "accuracy": 0.925}
SUMMARY = {
    "status": "completed",
    "exit_code": 4,
    "metrics": {"test": {"loss": 0.25, "accuracy": 0.9123}},
    "expectations": [
        {"text": "test.accuracy >= 0.97", "value": 0.9123, "met": False},
        {"text": "test.loss < 1", "value": 0.25, "met": True},
    ],
}


@dataclass(frozen=True, slots=True)
class Unheard(events.Event):
    """A kind of event that the log knows nothing of."""

    colour: str
    number: int


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (events.DataReady({"train": 60_000, "test": 10_000}, (28, 28), 10, "ab12", 0.416),
         "DataReady: train 60,000, test 10,000; 28×28, 10 classes; read in 0.42 s; fingerprint ab12"),
        (events.DataReady({"train": 506}, (13,), None, "ab12", 0.4),
         "DataReady: train 506; 13 features, regression; read in 0.40 s; fingerprint ab12"),
        (events.DataReady({"train": 506}, (13,), 2, "ab12", 0.4, are_tokens=True),
         "DataReady: train 506; 13 tokens, 2 classes; read in 0.40 s; fingerprint ab12"),
        (events.ModelReady(101_770, "cpu", "xla", 1, 4.1),
         "ModelReady: 101,770 parameters; xla on cpu, 1 thread; started in 4.1 s"),
        (events.Warned("λ/m is 1e-9"), "Warned: λ/m is 1e-9"),
        (events.Noted("going on"), "Noted: going on"),
        (events.EpochDone(1, 5, 1875, TRAIN, {"loss": 0.13}, 1e-3, 0.61, 98_123.4, improved=True),
         ("EpochDone: epoch 1/5, step 1,875; loss 0.2610, accuracy 0.9250; validation.loss 0.1300; "
         "learning rate 0.001; 0.61 s, 98,123 examples/s; the best so far")),
        (events.EpochDone(2, 5, 3750, TRAIN, None, 1e-3, 0.61, 98e3, improved=False),
         ("EpochDone: epoch 2/5, step 3,750; loss 0.2610, accuracy 0.9250; learning rate 0.001; "
         "0.61 s, 98,000 examples/s")),
        (events.StoppedEarly(7, 2, "validation.loss"),
         "StoppedEarly: after epoch 7; validation.loss was best in epoch 2"),
        (events.SaveBegun(9375), "SaveBegun: step 9,375"),
        (events.CheckpointSaved(Path("a/b"), 9375, best=True),
         "CheckpointSaved: step 9,375, the best so far; a/b"),
        (events.CheckpointSaved(Path("a/b"), 9375, best=False),
         "CheckpointSaved: step 9,375; a/b"),
        (events.RunFinished(SUMMARY),
         ("RunFinished: completed, exit code 4; test.loss 0.2500, test.accuracy 0.9123; "
         "missed: test.accuracy >= 0.97 (0.9123); met: test.loss < 1 (0.2500)")),
        (Unheard("red", 3), "Unheard: colour red; number 3"),
    ],
)  # fmt: skip
def test_a_line_of_the_log_can_be_read(event, line):
    assert log_line(event) == line
