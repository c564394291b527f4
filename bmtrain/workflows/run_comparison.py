"""Whether two run directories hold the same training, bit for bit, and if not, since when.

Compared: the log of epochs without its times, the last and the best checkpoint (model,
optimizer, statistics of the preprocessing, training state), the stored predictions, and
the summary's metrics. Not compared: ``run.json`` and ``log.txt``, times, paths, the names
of checkpoints, and which older checkpoints were kept: the clock decides these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.checkpoint.content import Checkpoint
from bmtrain.checkpoint.find import find_checkpoint
from bmtrain.checkpoint.read import read_checkpoint
from bmtrain.checkpoint.store import CheckpointStore
from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.differences import array_differences, plain_differences
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import read_json
from bmtrain.runs.metrics_log import TIME, read_epochs
from bmtrain.runs.predictions import predictions_path, read_predictions


@dataclass(frozen=True, slots=True)
class RunDifference:
    """One thing in which two runs differ.

    Attributes:
        where: ``epoch 3``, ``last checkpoint: layers.1.kernel`` …
        what: what it is in the first run and in the second.
        largest: max |first − second| / max(1, |first|); infinite where that cannot be said.
    """

    where: str
    what: str
    largest: float

    def __str__(self) -> str:
        """In one line."""
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class RunComparison:
    """All differences, the earliest epoch's first; none: the runs are identical."""

    differences: tuple[RunDifference, ...]
    first_epoch: int | None  # the first that differs in the log

    @property
    def identical(self) -> bool:
        """Whether every bit is the same."""
        return not self.differences

    @property
    def largest(self) -> float:
        """The largest relative difference of all."""
        return max((entry.largest for entry in self.differences), default=0.0)


def compare_runs(first: Path, second: Path, plugins: Plugins = NO_PLUGINS) -> RunComparison:
    """Compare two completed runs, whose checkpoints may need the ``plugins``.

    Raises:
        CheckpointError: one of them has no checkpoint that is whole, or a damaged log.
        DataError: its predictions are damaged.
        EnvironmentFault: it cannot be read.
    """
    runs = RunDirectory(first), RunDirectory(second)
    first_epoch, in_log = _log_differences(*runs)
    differences = [
        *in_log,
        *_checkpoint_differences("last checkpoint", *(_last(run, plugins) for run in runs)),
        *_best_differences(*runs, plugins),
        *_prediction_differences(*runs),
        *_plain("summary", *(read_json(run.summary).get("metrics") for run in runs)),
    ]
    return RunComparison(tuple(differences), first_epoch)


def _log_differences(
    first: RunDirectory, second: RunDirectory
) -> tuple[int | None, list[RunDifference]]:
    epochs = [read_epochs(run.metrics) for run in (first, second)]
    found: list[RunDifference] = []
    first_epoch = None
    for ours, theirs in zip(*epochs, strict=False):
        differing = list(_plain(f"epoch {ours['epoch']}", _untimed(ours), _untimed(theirs)))
        if differing and first_epoch is None:
            first_epoch = int(ours["epoch"])
        found += differing
    lengths = [len(entries) for entries in epochs]
    if lengths[0] != lengths[1]:
        what = f"{lengths[0]:,} epochs and {lengths[1]:,} epochs"
        found.append(RunDifference("metrics.jsonl", what, float("inf")))
        first_epoch = first_epoch or min(lengths) + 1
    return first_epoch, found


def _untimed(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != TIME}


def _plain(where: str, first: Any, second: Any) -> Iterator[RunDifference]:
    for entry in plain_differences(first, second):
        yield RunDifference(where, str(entry), _relative(entry.then, entry.now))


def _relative(first: str, second: str) -> float:
    try:
        then, now = float(first), float(second)
    except ValueError:
        return float("inf")
    return abs(then - now) / max(1.0, abs(then))


def _last(run: RunDirectory, plugins: Plugins) -> Checkpoint:
    return read_checkpoint(find_checkpoint(run.path, "last").path, plugins=plugins)


def _best_differences(
    first: RunDirectory, second: RunDirectory, plugins: Plugins
) -> Iterator[RunDifference]:
    ours, theirs = (CheckpointStore(run.checkpoints).best() for run in (first, second))
    if ours is not None and theirs is not None:
        which = "best checkpoint"
        both = (read_checkpoint(path, plugins=plugins) for path in (ours, theirs))
        yield from _checkpoint_differences(which, *both)
    elif ours is not theirs:
        side = "the first" if theirs is None else "the second"
        yield RunDifference("best checkpoint", f"only {side} has one", float("inf"))


def _checkpoint_differences(
    which: str, first: Checkpoint, second: Checkpoint
) -> Iterator[RunDifference]:
    yield from _plain(f"{which}: state", asdict(first.state), asdict(second.state))
    for part in ("model", "optimizer"):
        yield from _arrays(f"{which}: {part}", getattr(first, part), getattr(second, part))
    yield from _arrays(f"{which}: preprocessing", _statistics(first), _statistics(second))


def _statistics(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "offset": np.asarray(checkpoint.preprocessing.offset),
        "scale": np.asarray(checkpoint.preprocessing.scale),
    }


def _arrays(where: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Any]:
    for entry in array_differences(first, second):
        what = f"{entry.what} differ, by up to {entry.largest:.2g} of their size"
        yield RunDifference(f"{where} {entry.name}", what, entry.largest)


def _prediction_differences(first: RunDirectory, second: RunDirectory) -> Iterator[RunDifference]:
    paths = [predictions_path(run.predictions, "test") for run in (first, second)]
    present = [path.is_file() for path in paths]
    if present[0] != present[1]:
        side = "the first" if present[0] else "the second"
        yield RunDifference("predictions", f"only {side} has them", float("inf"))
    elif all(present):
        stored = [read_predictions(path) for path in paths]
        # The predicted classes follow from the outputs.
        outputs = [{"outputs": entry.outputs, "labels": entry.labels} for entry in stored]
        yield from _arrays("predictions", outputs[0], outputs[1])
