"""The runs that ``compare`` reads: their configs, figures and stored predictions."""

from __future__ import annotations

import string
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.config.dotted import flattened
from bmtrain.config.load import load_config
from bmtrain.config.missing_runs import require_there
from bmtrain.config.plugin_stand_ins import stand_ins
from bmtrain.config.resolved import plain
from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.wording.quoting import listed_and_more
from bmtrain.errors import DataError, UsageError
from bmtrain.models.example_figures import Values, values_per_example
from bmtrain.program import program
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.fold_directory import FoldDirectory
from bmtrain.runs.overview import RunOverview, read_overview
from bmtrain.runs.predictions import StoredPredictions, predictions_path, read_predictions
from bmtrain.runs.recorded_plugins import recorded_plugins

#: Config keys that never change a bit of the result, and what tells runs of one config apart.
_BESIDE_THE_METHOD = ("seed", "name", "expect", "training.checkpoint.", "training.steps_per_call")


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One of the runs, by the letter that it is called by.

    Attributes:
        settings: the config by dotted keys, every default included.
        predictions: of the test split; None: there are none.
    """

    label: str
    overview: RunOverview
    experiment: ExperimentConfig
    settings: dict[str, Any]
    predictions: StoredPredictions | None

    @property
    def seed(self) -> int:
        """Of the experiment."""
        return self.experiment.seed

    @property
    def method(self) -> tuple[tuple[str, str], ...]:
        """What is the same in all runs of one config, whatever their seed and name."""
        return tuple(
            (key, repr(value))
            for key, value in sorted(self.settings.items())
            if not f"{key}.".startswith(_BESIDE_THE_METHOD)
        )

    def figure(self, name: str) -> float | None:
        """The figure ``test.accuracy``; None: it has none, or it is not finite."""
        split, _, metric = name.partition(".")
        return self.overview.metrics.get(split, {}).get(metric)

    def values(self, metric: str) -> Values:
        """A value of the metric per test example.

        Raises:
            DataError: the stored predictions are none of this config's.
        """
        assert self.predictions is not None
        try:
            values = values_per_example(
                self.experiment, metric, self.predictions.outputs, self.predictions.labels
            )
            weights = self.predictions.weights
            return values * weights if metric == "loss" and weights is not None else values
        except ValueError as error:
            path = predictions_path(RunDirectory(self.overview.path).predictions, "test")
            raise DataError(f"they do not fit the config: {error}", where=str(path)) from None


def read_compared(paths: Sequence[Path]) -> list[ComparedRun]:
    """The runs, in the order given.

    Raises:
        UsageError: fewer than two, or as in ``read_runs``.
        ConfigError, CheckpointError, DataError, EnvironmentFault: one cannot be read.
    """
    if len(paths) < 2:
        raise UsageError(
            "expected two runs at least", hint=f"{program()} compare RUN RUN; {program()} runs"
        )
    return read_runs(paths)


def read_runs(paths: Sequence[Path]) -> list[ComparedRun]:
    """One run or more, in the order given.

    Raises:
        UsageError: one twice, or no run.
        ConfigError, CheckpointError, DataError, EnvironmentFault: one cannot be read.
    """
    seen: set[Path] = set()
    for path in paths:
        require_there(path)
        if not RunDirectory(path).holds_run:
            raise UsageError(
                f"'{path}' is not a run directory: it has no {RunDirectory(path).config.name}",
                hint=_where_runs_are(path),
            )
        if path.resolve() in seen:
            raise UsageError(f"'{path}' is given twice")
        seen.add(path.resolve())
    return [_read(_label(index), path) for index, path in enumerate(paths)]


def _where_runs_are(path: Path) -> str:
    if FoldDirectory(path).holds_folds:
        return "its folds are runs: fold-1, fold-2, …"
    with suppress(OSError):
        inside = sorted(entry.name for entry in path.iterdir() if RunDirectory(entry).holds_run)
        if inside:
            return f"it holds runs, each of which can be named: {listed_and_more(inside, 5)}"
    return f"{program()} runs lists the runs"


def _read(label: str, path: Path) -> ComparedRun:
    overview = read_overview(path)
    run = RunDirectory(path)
    plugins = stand_ins(recorded_plugins(path))
    experiment = load_config(run.config, may_extend=False, plugins=plugins).experiment
    stored = predictions_path(run.predictions, "test")
    # Of a run that goes on they are those of an earlier end.
    is_there = overview.status == "completed" and stored.exists()
    predictions = read_predictions(stored) if is_there else None
    return ComparedRun(label, overview, experiment, flattened(plain(experiment)), predictions)


def _label(index: int) -> str:
    """A to Z, then A2 to Z2."""
    letters = string.ascii_uppercase
    turn = index // len(letters)
    return letters[index % len(letters)] + (str(turn + 1) if turn else "")


def test_set_difference(first: ComparedRun, second: ComparedRun) -> str | None:
    """Why two runs were not tested on the same examples in the same order; None: they were.

    Equal labels alone are no proof: of a table sorted by its classes every stratified draw
    has them. The splits' fingerprints decide; without them, of runs of an earlier version, a
    drawn split must have been drawn alike, too.
    """
    one, other = first.predictions, second.predictions
    assert one is not None
    assert other is not None
    if len(one.labels) != len(other.labels):
        return f"{len(one.labels):,} examples and {len(other.labels):,}"
    names = [_data(run).get("class_names") for run in (first, second)]
    if names[0] != names[1] or not _are_same(one.labels, other.labels):
        return "other labels"
    if _fingerprint(first) is not None and _fingerprint(first) == _fingerprint(second):
        return None
    hashes = [_test_fingerprint(run) for run in (first, second)]
    if hashes[0] is not None and hashes[0] == hashes[1]:
        return None
    splits = [run.experiment.data.splits for run in (first, second)]
    drawn = [repr((split.test, split.group)) for split in splits]
    if drawn[0] != drawn[1]:
        return "the split is drawn otherwise (data.splits.test)"
    is_drawn = not isinstance(splits[0].test, str | None)
    if is_drawn and first.seed != second.seed:
        return f"the split is drawn with the seeds {first.seed} and {second.seed}"
    if None not in hashes and _are_read_alike(first, second):
        return "other inputs under the same labels"
    return None


def _are_read_alike(first: ComparedRun, second: ComparedRun) -> bool:
    """Whether equal examples are equal inputs: from the same columns, and nothing filled in."""
    one, other = first.experiment.data, second.experiment.data
    chosen = [(data.features, data.categorical, data.label) for data in (one, other)]
    return (
        chosen[0] == chosen[1] and not one.categorical and one.missing == other.missing == "error"
    )


def is_drawn_alike(first: ComparedRun, second: ComparedRun) -> bool:
    """Whether two seeds drew their test splits from the same data in the same way."""
    one, other = first.predictions, second.predictions
    splits = [run.experiment.data.splits.test for run in (first, second)]
    is_drawn = not isinstance(splits[0], str | None)
    if one is None or other is None or not is_drawn or repr(splits[0]) != repr(splits[1]):
        return False
    if one.labels.dtype != other.labels.dtype or one.labels.shape != other.labels.shape:
        return False
    is_regression = one.labels.dtype != np.int32
    return is_regression or _are_same(np.sort(one.labels), np.sort(other.labels))


def _are_same(first: Any, second: Any) -> bool:
    return first.dtype == second.dtype and np.array_equal(first, second)


def _data(run: ComparedRun) -> dict[str, Any]:
    data = run.overview.run_json.get("data")
    return data if isinstance(data, dict) else {}


def _fingerprint(run: ComparedRun) -> str | None:
    value = _data(run).get("fingerprint")
    return value if isinstance(value, str) else None


def _test_fingerprint(run: ComparedRun) -> str | None:
    value = _data(run).get("fingerprints")
    found = value.get("test") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
