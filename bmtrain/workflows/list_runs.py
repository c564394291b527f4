"""``bmtrain runs``: the runs in some directories, with their key figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bmtrain.durable import environment_faults
from bmtrain.errors import BmtrainError, UsageError
from bmtrain.runs.fold_directory import FoldDirectory
from bmtrain.runs.overview import RunOverview, may_be_run, read_overview, read_settings
from bmtrain.workflows.run_filters import (
    Condition,
    parse_condition,
    require_known,
    whole_name,
)

#: Sorted and filtered by beside figures (``test.accuracy``) and config keys.
COLUMNS: Final = ("run", "status", "begun", "epochs", "parameters", "train_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsRequest:
    """Which runs to list, and how.

    Attributes:
        directories: of runs, or runs themselves; none: $BMTRAIN_RUNS, by default ``runs``.
        where: conditions, all of which must hold.
        sort: a column, figure or config key; ``-KEY`` begins with the largest.
        reverse: the other way round.
        show: config keys to tell of each run.
    """

    directories: tuple[Path, ...] = ()
    where: tuple[str, ...] = ()
    sort: str = "begun"
    reverse: bool = False
    show: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    overview: RunOverview
    facts: dict[str, Any]


def list_runs(request: RunsRequest) -> dict[str, Any]:
    """The document of ``runs --json``.

    ``{"schema_version": 1, "status": "completed", "exit_code": 0, "error": null,
    "directories": ["runs"], "found": 12, "runs": [{"run": "runs/mnist-…", "status":
    "completed|interrupted|failed|diverged|running", "held_by": null, "begun":
    "2026-11-23T10:15:00Z", "epochs": 5, "metrics": {"train": {…}, "validation": {…}, "test":
    {…}}, "monitor": "validation.loss", "parameters": 101770, "train_s": 1.6, "message": null,
    "settings": {"optimizer.learning_rate": 0.001}}], "unreadable": [{"run", "message"}]}``

    ``found`` counts the runs before ``where``; ``settings`` has the keys of ``show``; what
    is not known is null. A directory that cannot be read is listed, and never an error.

    Raises:
        UsageError: a directory is not there, a condition or a key is none.
        EnvironmentFault: a directory of runs cannot be read.
    """
    conditions = [parse_condition(text) for text in request.where]
    sort, reverse = request.sort.removeprefix("-"), request.sort.startswith("-")
    sort, show = whole_name(sort), tuple(map(whole_name, request.show))
    keys = [*show, *(condition.key for condition in conditions), sort]
    # The config is what takes longest to read.
    with_settings = any(key not in COLUMNS and not _is_figure(key) for key in keys)
    directories = request.directories or (Path(os.environ.get("BMTRAIN_RUNS") or "runs"),)
    rows: list[_Row] = []
    unreadable: list[dict[str, str]] = []
    for path in _run_paths(directories, is_default=not request.directories):
        try:
            rows.append(_read(path, with_settings=with_settings))
        except BmtrainError as error:
            unreadable.append({"run": str(path), "message": _relative_message(error, path)})
    _require_keys(rows, conditions, sort, show)
    chosen = [row for row in rows if all(entry.holds(row.facts) for entry in conditions)]
    chosen = _sorted(chosen, sort, reverse=reverse != request.reverse)
    return {
        "schema_version": 1,
        "status": "completed",
        "exit_code": 0,
        "error": None,
        "directories": [str(path) for path in directories],
        "found": len(rows),
        "runs": [_document(row, show) for row in chosen],
        "unreadable": unreadable,
    }


def _is_figure(key: str) -> bool:
    return key.partition(".")[0] in {"train", "validation", "test"}


def _run_paths(directories: tuple[Path, ...], *, is_default: bool) -> Iterator[Path]:
    """Runs, and what looks like half of one; other directories are somebody else's."""
    seen: set[Path] = set()
    for directory in directories:
        if not directory.is_dir():
            if is_default and not directory.is_symlink() and not directory.exists():
                return
            raise UsageError(
                "expected a directory of runs, or a run", where=str(directory), hint=None
            )
        for path in _candidates(directory):
            if path not in seen:
                seen.add(path)
                yield path


def _candidates(directory: Path) -> list[Path]:
    if may_be_run(directory):
        return [directory]
    if FoldDirectory(directory).holds_folds:
        return FoldDirectory(directory).runs()
    with environment_faults(directory, "list the runs"), os.scandir(directory) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    found = []
    for path in (directory / name for name in names):
        folds = FoldDirectory(path)
        found += folds.runs() if folds.holds_folds else [path] if _seems_run(path) else []
    return found


def _seems_run(path: Path) -> bool:
    try:
        return may_be_run(path)
    except OSError:
        return True  # it is told why it cannot be read


def _read(path: Path, *, with_settings: bool) -> _Row:
    overview = read_overview(path)
    facts: dict[str, Any] = read_settings(path) if with_settings else {}
    facts |= {
        f"{split}.{name}": value
        for split, figures in overview.metrics.items()
        for name, value in figures.items()
    }
    facts |= {name: getattr(overview, name) for name in COLUMNS if name != "run"}
    return _Row(overview, {**facts, "run": path.name})


def _relative_message(error: BmtrainError, path: Path) -> str:
    """The message with the file's name in the run, where it is about one."""
    where = (error.where or "").removeprefix(str(path)).strip("/")
    return f"{where}: {error.message}" if where else error.message


def _require_keys(
    rows: list[_Row], conditions: list[Condition], sort: str, show: tuple[str, ...]
) -> None:
    known = {*COLUMNS, *(key for row in rows for key in row.facts)}
    if not rows:
        return
    for condition in conditions:
        require_known(condition.key, known, "--where")
    for key in show:
        require_known(key, known, "--show")
    require_known(sort, known, "--sort")


def _sorted(rows: list[_Row], key: str, *, reverse: bool) -> list[_Row]:
    """What lacks the key comes last, whatever the direction."""

    def order(row: _Row) -> Any:
        return _sort_key(row.facts[key])

    having = [row for row in rows if row.facts.get(key) is not None]
    lacking = [row for row in rows if row.facts.get(key) is None]
    return sorted(having, key=order, reverse=reverse) + lacking


def _sort_key(value: Any) -> tuple[int, float, str]:
    """Numbers before texts; all else by how it is written."""
    if isinstance(value, int | float):
        return (0, value, "")
    return (1, 0.0, str(value))


def _document(row: _Row, show: tuple[str, ...]) -> dict[str, Any]:
    overview = row.overview
    return {
        "run": str(overview.path),
        "status": overview.status,
        "held_by": overview.held_by,
        "begun": overview.begun,
        "epochs": overview.epochs,
        "metrics": overview.metrics,
        "monitor": overview.monitor,
        "parameters": overview.parameters,
        "train_s": overview.train_s,
        "message": overview.message,
        "settings": {key: row.facts.get(key) for key in show},
    }
