"""What a report reads of a run directory, which may be a stranger's or half of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bmtrain.config.plugin_tables import NO_PLUGINS, Plugins
from bmtrain.errors import BmtrainError, CheckpointError
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import require_json
from bmtrain.runs.metrics_log import epochs_in
from bmtrain.runs.recorded_plugins import require_recorded
from bmtrain.workflows.comparison.runs import ComparedRun
from bmtrain.workflows.restoring import Restored, read_restored

#: Epochs of a curve: a chart of 360 pixels shows no more.
MAX_EPOCHS: Final = 240
_MAX_NAMES: Final = 100_000


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """A run, as far as there is one.

    Attributes:
        summary: what ``train --json`` printed; empty of a run that was killed.
        epochs: entries of metrics.jsonl, evenly chosen, the first and the last among them.
        restored: the checkpoint that the run is judged by; None: there is none that is whole.
        without_model: why.
        warnings: what to say of the checkpoint and of its plugins, a line each.
        class_names: None: it is a regression, or they are not known.
    """

    run: ComparedRun
    summary: Mapping[str, Any]
    epochs: tuple[Mapping[str, Any], ...]
    restored: Restored | None
    without_model: str
    class_names: tuple[str, ...] | None
    warnings: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Its directory."""
        return self.run.overview.path

    @property
    def run_json(self) -> Mapping[str, Any]:
        """What ran where, as it was recorded: its values may be anything."""
        return self.run.overview.run_json

    def recorded(self, *keys: str) -> Any:
        """A value of run.json, or None."""
        return entry(self.run_json, *keys)

    def summed(self, *keys: str) -> Any:
        """A value of summary.json, or None."""
        return entry(self.summary, *keys)


def entry(document: Any, *keys: str) -> Any:
    """What nested mappings have under ``keys``; None where there is no such thing."""
    for key in keys:
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def number_at(document: Any, *keys: str) -> float | None:
    """The same where it is a number."""
    value = entry(document, *keys)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 else None


def read_reported(run: ComparedRun, plugins: Plugins = NO_PLUGINS) -> ReportedRun:
    """The rest of a run that was read already.

    Args:
        plugins: those that were named; without one that it needs there is no model.

    Raises:
        CheckpointError: a record is damaged. EnvironmentFault: it cannot be read.
    """
    directory = RunDirectory(run.overview.path)
    restored, why = _restored(run.overview.path, plugins)
    return ReportedRun(
        run=run,
        summary=require_json(directory.summary),
        epochs=_some_epochs(directory.metrics) if directory.metrics.exists() else (),
        restored=restored,
        without_model=why,
        class_names=_class_names(run, restored),
        warnings=_unmet(run, plugins) if restored is None else restored.warnings,
    )


def _restored(path: Path, plugins: Plugins) -> tuple[Restored | None, str]:
    """A run is worth a report without its weights, too."""
    try:
        return read_restored(path, plugins), ""
    except CheckpointError as error:
        return None, error.message


def _unmet(run: ComparedRun, plugins: Plugins) -> tuple[str, ...]:
    """Which plugin has to be named for the model to be shown."""
    try:
        require_recorded(run.overview.path, plugins)
    except CheckpointError as error:
        return (f"{error.where}: {error.message}; {error.hint}",)
    return ()


def _some_epochs(path: Path) -> tuple[Mapping[str, Any], ...]:
    """Every first, second, fourth … epoch, so that few are held however long the log is."""
    kept: list[Mapping[str, Any]] = []
    last: Mapping[str, Any] | None = None
    every = 1
    for number, epoch in enumerate(epochs_in(path, may_grow=True)):
        last = epoch
        if number % every == 0:
            kept.append(epoch)
        if len(kept) > MAX_EPOCHS:
            kept, every = kept[::2], 2 * every
    if last is not None and kept[-1] is not last:
        kept.append(last)
    return tuple(kept)


def _class_names(run: ComparedRun, restored: Restored | None) -> tuple[str, ...] | None:
    if restored is not None:
        return restored.checkpoint.preprocessing.facts.class_names
    names = entry(run.overview.run_json, "data", "class_names")
    is_list = isinstance(names, list) and 0 < len(names) <= _MAX_NAMES
    return tuple(names) if is_list and all(isinstance(name, str) for name in names) else None


def reason(error: BmtrainError) -> str:
    """What is wrong, and where, in one sentence."""
    return f"{error.where}: {error.message}" if error.where else error.message
