"""What a run directory says of its run at a glance: two small documents, never the model.

The directory may be a stranger's, half-written, or of a run that goes on meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from bmtrain import strict_json
from bmtrain.config.dotted import flattened
from bmtrain.config.files import MAX_FILE_BYTES as _MAX_CONFIG_BYTES
from bmtrain.config.nodes import MappingNode, to_plain
from bmtrain.config.source_text import SourceText
from bmtrain.config.yaml_reader import read_yaml
from bmtrain.durable import environment_faults
from bmtrain.errors import CheckpointError
from bmtrain.regular_files import NotRegular, opened_regular
from bmtrain.runs.directory import LOCK, RunDirectory, live_holder
from bmtrain.runs.environment import require_json
from bmtrain.runs.metrics_log import is_figures, last_epoch

Status = Literal["completed", "interrupted", "failed", "diverged", "running"]
Figures = Mapping[str, Mapping[str, float | None]]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_TIME_LENGTH = 20
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverview:
    """A run's key figures.

    Attributes:
        held_by: who trains in it now; None: nobody.
        begun: UTC, as ``2026-11-23T10:15:00Z``; of a run that was gone on with, its first start.
        epochs: done so far.
        metrics: by split, of the evaluated checkpoint; of one that did not complete, or goes
            on, the last epoch's of the log.
        monitor: the figure that chose the evaluated checkpoint, ``validation.loss``.
        train_s: seconds inside training, of all starts.
        message: what ended it, if it failed.
        run_json: what ran where, as it was recorded; its values may be anything.
    """

    path: Path
    status: Status
    held_by: str | None = None
    begun: str | None = None
    epochs: int = 0
    metrics: Figures = field(default_factory=dict)
    monitor: str | None = None
    parameters: int | None = None
    train_s: float | None = None
    message: str | None = None
    run_json: Mapping[str, Any] = field(default_factory=dict)


def may_be_run(path: Path) -> bool:
    """Whether a directory looks like a run's, also one that holds half of it."""
    directory = RunDirectory(path)
    names = (directory.config, path / LOCK, directory.log, directory.run_json, directory.summary)
    return sum(name.is_symlink() or name.exists() for name in names) > 1 or directory.holds_run


def read_overview(path: Path) -> RunOverview:
    """The overview of a run directory.

    Raises:
        CheckpointError: no run began in it, a record is damaged or no regular file.
        EnvironmentFault: it cannot be read.
    """
    run = RunDirectory(path)
    run.require_plain()
    if not run.holds_run:
        raise CheckpointError(f"no run began here: it has no {run.config.name}", where=str(path))
    held_by = live_holder(path)
    summary, run_json = require_json(run.summary), require_json(run.run_json)
    try:
        return _overview(run, held_by, summary, run_json)
    except ValueError as error:
        raise CheckpointError(f"damaged: {error}", where=str(run.summary)) from None


def _overview(
    run: RunDirectory,
    held_by: str | None,
    summary: Mapping[str, Any],
    run_json: Mapping[str, Any],
) -> RunOverview:
    status: Any = "running" if held_by else summary.get("status", "interrupted")
    strict_json.require(status in get_args(Status), "its status is none of a run's")
    epochs, metrics = _number(summary, "epochs_completed") or 0, _metrics(summary)
    if status != "completed":
        logged = last_epoch(run.metrics) if run.metrics.exists() else None
        if logged is not None:
            epochs, metrics = logged["epoch"], _only_splits(logged)
    error = summary.get("error") if status not in {"completed", "running"} else None
    evaluated = summary.get("evaluated")
    return RunOverview(
        path=run.path,
        status=status,
        held_by=held_by,
        begun=_begun(run, run_json),
        epochs=int(epochs),
        metrics=metrics,
        monitor=_text(evaluated, "monitor"),
        parameters=_whole(summary, "parameters") or _whole(run_json, "parameters"),
        train_s=_number(summary.get("timing"), "train_s"),
        message=_text(error, "message"),
        run_json=run_json,
    )


def read_settings(path: Path) -> dict[str, Any]:
    """Dotted key -> value of a run's resolved config, unchecked: what it says, not what is valid.

    Raises:
        CheckpointError: it is no mapping in YAML. EnvironmentFault: it cannot be read.
    """
    config = RunDirectory(path).config
    try:
        with (
            environment_faults(config, "read the config"),
            opened_regular(config) as (descriptor, _),
            os.fdopen(descriptor, "rb", closefd=False) as file,
        ):
            content = file.read(_MAX_CONFIG_BYTES + 1)
        strict_json.require(len(content) <= _MAX_CONFIG_BYTES, "larger than any config")
        text = content.decode()
    except (ValueError, NotRegular) as error:
        raise CheckpointError(f"not a config: {error}", where=str(config)) from None
    root, problems = read_yaml(text, SourceText.of(str(config), text, path))
    if problems or not isinstance(root, MappingNode):
        what = str(problems[0].message) if problems else "not a mapping"
        raise CheckpointError(f"not a config: {what}", where=str(config))
    return flattened(to_plain(root))


def _metrics(summary: Mapping[str, Any]) -> Figures:
    metrics = summary.get("metrics", {})
    strict_json.require(isinstance(metrics, dict), "its metrics are no figures by split")
    return _only_splits(metrics)


def _only_splits(document: Mapping[str, Any]) -> Figures:
    found = {split: document[split] for split in _SPLITS if split in document}
    strict_json.require(all(map(is_figures, found.values())), "its metrics are no figures")
    return found


def _begun(run: RunDirectory, run_json: Mapping[str, Any]) -> str:
    """As recorded; else the time in the first line of its log, or when its config was written.

    A run that has not come as far as its first step, or of an earlier version, has no record.
    """
    earlier = run_json.get("earlier")
    first = earlier[0] if isinstance(earlier, list) and earlier else run_json
    if (recorded := _text(first, "begun")) is not None and _TIME.fullmatch(recorded):
        return recorded
    with environment_faults(run.log, "read the log"):
        try:
            with opened_regular(run.log) as (descriptor, _):
                start = os.pread(descriptor, _TIME_LENGTH, 0).decode("ascii", "replace")
                if _TIME.fullmatch(start):
                    return start
        except (FileNotFoundError, NotRegular):
            pass
        written = datetime.fromtimestamp(run.config.lstat().st_mtime, UTC)
    return written.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(document: Any, key: str) -> float | None:
    value = document.get(key) if isinstance(document, Mapping) else None
    strict_json.require(is_figures({key: value}), f"'{key}' is no number")
    return value


def _whole(document: Mapping[str, Any], key: str) -> int | None:
    value = _number(document, key)
    return None if value is None else int(value)


def _text(document: Any, key: str) -> str | None:
    value = document.get(key) if isinstance(document, Mapping) else None
    return value if isinstance(value, str) else None
