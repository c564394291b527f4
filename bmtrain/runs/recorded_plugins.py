"""The plugins that a run recorded; they are asked for, and never loaded from here."""

from __future__ import annotations

from pathlib import Path

from bmtrain.config.plugin_records import PluginRecord, parse_records, require_named
from bmtrain.config.plugin_tables import Plugins
from bmtrain.errors import CheckpointError
from bmtrain.runs.directory import RunDirectory
from bmtrain.runs.environment import read_json


def recorded_plugins(run: Path) -> tuple[PluginRecord, ...]:
    """What the run.json of a run directory says; none where there is no such file.

    Raises:
        CheckpointError: it says what no run records.
    """
    path = RunDirectory(run).run_json
    try:
        return parse_records(read_json(path).get("plugins", []))
    except ValueError as error:
        raise CheckpointError(f"damaged: {error}", where=str(path)) from None


def require_recorded(run: Path, plugins: Plugins) -> None:
    """CheckpointError where the run's config uses what none of the named plugins adds."""
    require_named(recorded_plugins(run), plugins, str(run))
