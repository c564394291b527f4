"""What a run says: frozen facts, in the order in which they happen.

A workflow yields them; it never prints. ``bmtrain.cli`` shows them, a notebook
may ignore them. Figures are plain Python numbers; times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""


@dataclass(frozen=True, slots=True)
class RunPlanned(Event):
    """The config is valid; nothing has been read or written yet."""

    config: str
    name: str
    source: str
    run_dir: Path
    epochs: int
    batch_size: int | None  # None: the full training split
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataReady(Event):
    """The data is read and checked."""

    num_examples: Mapping[str, int]  # split -> examples
    input_shape: tuple[int, ...]
    num_classes: int | None  # None: regression
    fingerprint: str
    read_s: float
    is_streamed: bool = False  # the training examples stay in their file
    are_tokens: bool = False  # an input is a token's number


@dataclass(frozen=True, slots=True)
class ModelReady(Event):
    """TensorFlow is imported, the device chosen and the model built."""

    num_parameters: int
    device: str
    engine: str
    threads: int
    startup_s: float


@dataclass(frozen=True, slots=True)
class FoldBegun(Event):
    """One of the trainings of a cross-validation begins, or is looked at again."""

    number: int  # from 1
    count: int
    run_dir: Path


@dataclass(frozen=True, slots=True)
class FoldDone(Event):
    """It is complete; ``summary`` is the document of its run."""

    number: int
    count: int
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something the user should know; the run goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """Something worth a line: the Keras equivalent of λ, where the log is."""

    message: str


@dataclass(frozen=True, slots=True)
class StepsDone(Event):
    """A compiled call returned; the figures are running means over the epoch."""

    epoch: int  # from 1
    num_epochs: int
    step: int  # steps done in this epoch
    steps_per_epoch: int
    figures: Mapping[str, float]  # loss, penalty, objective, metrics
    examples_per_s: float
    remaining_s: float  # of the whole training


@dataclass(frozen=True, slots=True)
class EpochDone(Event):
    """One epoch is trained and, if there is a validation split, evaluated."""

    epoch: int
    num_epochs: int
    step: int  # steps done in the whole training
    train: Mapping[str, float]
    validation: Mapping[str, float] | None
    learning_rate: float
    epoch_s: float
    examples_per_s: float
    improved: bool  # the monitored figure is the best so far


@dataclass(frozen=True, slots=True)
class StoppedEarly(Event):
    """Early stopping ended the training."""

    epoch: int
    best_epoch: int
    monitor: str


@dataclass(frozen=True, slots=True)
class SaveBegun(Event):
    """A checkpoint is about to be written; a ``CheckpointSaved`` follows when it is on disk."""

    step: int


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    """A checkpoint is on disk, whole."""

    path: Path
    step: int
    best: bool


@dataclass(frozen=True, slots=True)
class Evaluating(Event):
    """The training is over and saved; a split is evaluated with the weights to be judged."""

    split: str


@dataclass(frozen=True, slots=True)
class Killed(Event):
    """verify-resume killed a training, in ``phase``: starting, training, saving, evaluating."""

    number: int  # from 1
    num_kills: int
    phase: str


@dataclass(frozen=True, slots=True)
class RunCompared(Event):
    """A run was compared with the one that was to be reproduced; ``difference`` is the first."""

    number: int  # from 1
    difference: str | None


@dataclass(frozen=True, slots=True)
class ExportBegun(Event):
    """A checkpoint was read and can be exported.

    ``skipped`` says which others were passed over, ``outputs`` in words what the model gives.
    """

    checkpoint: Path
    skipped: tuple[str, ...]
    outputs: str


@dataclass(frozen=True, slots=True)
class ExamplesChosen(Event):
    """What exports are compared on, in words."""

    examples: str


@dataclass(frozen=True, slots=True)
class ModelExported(Event):
    """One format is done, or was refused: it gives other outputs than the checkpoint."""

    record: Mapping[str, Any]  # its entry in the document's ``exports``


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The run is over; ``summary`` is what ``--json`` prints."""

    summary: Mapping[str, Any]
