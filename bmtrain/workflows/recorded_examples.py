"""Examples of the data that a checkpoint was trained on, read again as its config says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

from bmtrain.config.sections.experiment import ExperimentConfig
from bmtrain.data.bundled import BUNDLED
from bmtrain.data.encodings.encoding import Columns
from bmtrain.data.examples.dataset import Dataset, Split
from bmtrain.data.load import load_with_columns, resolve_task
from bmtrain.data.raw.source import SplitName
from bmtrain.data.raw.streamed_rows import Features
from bmtrain.errors import CheckpointError, ConfigError, DataError, UsageError
from bmtrain.workflows.preparation import load_experiment_data
from bmtrain.workflows.restoring import Restored

Loaded = TypeVar("Loaded")


def recorded_split(
    restored: Restored, name: str | None, note: Callable[[str], None]
) -> tuple[str, Split]:
    """The named split and its name; by default test, or else validation, or else train.

    The data is what the checkpoint names, whoever wrote it: a file of ours is read only if the
    user named the run, and ``note`` is told which before it is opened.

    Raises:
        UsageError: the checkpoint itself was named, and its data is no bundled set.
        DataError: the data is not there, is not what it was, or has no such split.
        CheckpointError: what is recorded does not fit the data that it names.
    """
    dataset = _recorded_data(restored, note, load_experiment_data)
    return _split(_same_data(restored, dataset), name)


def recorded_columns(
    restored: Restored, name: str, note: Callable[[str], None]
) -> tuple[Split, Features | Columns]:
    """The named split, and its features as they were before they were encoded.

    Raises:
        UsageError, DataError, CheckpointError: as ``recorded_split``.
    """
    dataset, columns = _recorded_data(restored, note, _load_with_columns)
    _, split = _split(_same_data(restored, dataset), name)
    return split, columns[cast(SplitName, name)]


def _load_with_columns(
    experiment: ExperimentConfig,
) -> tuple[Dataset, Mapping[SplitName, Features | Columns]]:
    task = resolve_task(experiment.data, experiment.loss)
    return load_with_columns(experiment.data, task=task, seed=experiment.seed)


def _same_data(restored: Restored, dataset: Dataset) -> Dataset:
    checkpoint = restored.checkpoint
    if dataset.facts.fingerprint != checkpoint.preprocessing.facts.fingerprint:
        raise DataError(
            "the data is not what the model was trained on (its fingerprint differs)",
            where=checkpoint.experiment.data.source,
            hint="give the examples to evaluate with --data PATH",
        )
    return dataset


def _recorded_data(
    restored: Restored, note: Callable[[str], None], load: Callable[[ExperimentConfig], Loaded]
) -> Loaded:
    section = restored.checkpoint.experiment.data
    paths = [*map(str, section.splits.files.values())]
    if section.source not in BUNDLED:
        paths.insert(0, section.source)
    if paths:
        if not restored.found.is_run:
            raise UsageError(
                "a checkpoint alone is evaluated on data that you name: --data PATH",
                hint=f"it was trained on {', '.join(paths)}; to read what a run recorded, "
                "name the run's directory",
            )
        shown = ", ".join(path if path.isprintable() else ascii(path) for path in paths)
        note(f"reading the data that the run recorded: {shown}")
    try:
        return load(restored.checkpoint.experiment)
    except ConfigError as error:
        raise CheckpointError(
            f"its config does not fit its data: {error.message}", where=str(restored.found.path)
        ) from error


def _split(dataset: Dataset, name: str | None) -> tuple[str, Split]:
    present = {str(key): split for key, split in dataset.splits.items()}
    chosen = name or next(n for n in ("test", "validation", "train") if n in present)
    if chosen not in present:
        raise DataError(f"there is no {chosen} split: the data has {', '.join(present)}")
    return chosen, present[chosen]


def file_below(source: str, file: Path) -> str:
    """A picture's file as it is called below the source that the config names."""
    root = BUNDLED[source].path if source in BUNDLED else Path(source)
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)
