"""``bmtrain predict``: what a checkpoint says about each example, in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.example_blocks import STDIN, blocks_of_all, examples_in
from bmtrain.data.readable import unseen_categories
from bmtrain.errors import UsageError
from bmtrain.figures import class_name
from bmtrain.models.decision import class_probabilities, predicted_classes
from bmtrain.workflows.restoring import Restored, read_restored, restored_session


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictRequest:
    """Which checkpoint, on which examples; labels are not needed.

    Attributes:
        inputs: files, directories, or ``-`` for standard input.
        top: how many of the likeliest classes are asked for; None: the probability of each.
        ignore_unknown_columns: let pass what the model does not know in a table.
    """

    checkpoint: Path
    inputs: tuple[Path, ...]
    format: str = "auto"
    top: int | None = None
    ignore_unknown_columns: bool = False
    plugins: Plugins = NO_PLUGINS


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per example, in the input's order.

    Attributes:
        outputs: float32 (examples, classes) probabilities, or (examples, targets).
        predicted: int32 (examples,) classes; the outputs themselves for regression.
        class_names: one per class; None for regression.
        label_name: the column that a table's model predicts; None for arrays.
        skipped: what to say of the checkpoints that were passed over, a line each.
        files: of each example where they are pictures from files; else None.
    """

    outputs: NDArray[np.float32]
    predicted: NDArray[Any]
    class_names: tuple[str, ...] | None
    label_name: str | None
    skipped: tuple[str, ...] = ()
    files: tuple[Path, ...] | None = None

    @property
    def labels(self) -> list[str]:
        """The name of each example's predicted class; for regression there is none."""
        if self.class_names is None:
            raise AttributeError("a regression predicts numbers, not classes: see .outputs")
        return [class_name(self.class_names, number) for number in self.predicted.tolist()]


@dataclass(frozen=True, slots=True)
class PredictionStream:
    """Predictions as they are made, in the inputs' order, and what is known before.

    Attributes:
        class_names, label_name, skipped: as in ``Predictions``.
        num_outputs: columns of each block's outputs.
        sources: the files that are read; each block is of one of them, or of pictures.
        tells_files: whether each example is told with its file, however many there are.
        unseen: per column the cells so far whose category no training example is of.
        blocks: made while they are taken; the session ends with the last.
    """

    class_names: tuple[str, ...] | None
    label_name: str | None
    skipped: tuple[str, ...]
    num_outputs: int
    sources: tuple[Path, ...]
    tells_files: bool
    unseen: Mapping[str, int]
    blocks: Generator[tuple[Path, Predictions]]


def predict(request: PredictRequest) -> PredictionStream:
    """Find the checkpoint and the inputs; read and predict while ``blocks`` are taken.

    Raises:
        UsageError: standard input beside others, or ``top`` of a regression.
        CheckpointError, DataError, EnvironmentFault; while blocks are taken, too.
    """
    if STDIN in request.inputs and len(request.inputs) > 1:
        raise UsageError("'-' is standard input, which is read alone: name it without others")
    restored = read_restored(request.checkpoint, request.plugins)
    facts = restored.checkpoint.preprocessing.facts
    if request.top is not None and facts.class_names is None:
        raise UsageError("--top is about classes, and the model predicts numbers")
    sources = tuple(examples_in(request.inputs))
    num_classes = len(facts.class_names or ())
    unseen: dict[str, int] = {}
    return PredictionStream(
        class_names=facts.class_names,
        label_name=facts.label_name,
        skipped=restored.warnings,
        num_outputs=num_classes or facts.num_outputs,
        sources=sources,
        tells_files=isinstance(facts.encoding, ImageEncoding),
        unseen=unseen,
        blocks=_predicted(restored, sources, request, unseen),
    )


def _predicted(
    restored: Restored,
    sources: tuple[Path, ...],
    request: PredictRequest,
    unseen: dict[str, int],
) -> Generator[tuple[Path, Predictions]]:
    facts = restored.checkpoint.preprocessing.facts
    blocks = blocks_of_all(
        sources,
        facts,
        format=request.format,
        ignore_unknown=request.ignore_unknown_columns or restored.chose_columns,
        formats=request.plugins.formats,
        stdin=sys.stdin.buffer if STDIN in sources else None,  # type: ignore[arg-type]  # it has peek
    )
    first = next(blocks)  # what is wrong at once is told before TensorFlow starts
    with restored_session(restored) as session:
        for block in chain([first], blocks):
            for name, number in unseen_categories(facts.encoding, block.features).items():
                unseen[name] = unseen.get(name, 0) + number
            outputs = session.evaluator.predict(block.features)
            predictions = predictions_of(restored, outputs)
            yield block.source, replace(predictions, files=block.files)


def predictions_of(restored: Restored, outputs: NDArray[np.float32]) -> Predictions:
    """What outputs (examples, outputs) of the restored model say."""
    experiment = restored.checkpoint.experiment
    facts = restored.checkpoint.preprocessing.facts
    if facts.class_names is None:
        return Predictions(outputs, outputs, None, facts.label_name, restored.warnings)
    return Predictions(
        class_probabilities(experiment, outputs)[:, : len(facts.class_names)],
        predicted_classes(experiment, outputs),
        facts.class_names,
        facts.label_name,
        restored.warnings,
    )
