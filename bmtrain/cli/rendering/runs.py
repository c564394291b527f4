"""What ``runs`` shows: a line per run, then what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import maxsize
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.table_files import TableFormat, write_csv, write_markdown
from bmtrain.cli.rendering.tables import show_table, table_width
from bmtrain.figures import count, duration, figure

#: What is left out where the terminal is too narrow, the first one first.
_DISPENSABLE: Final = ("parameters", "begun", "time", "epochs", "validation.")
_BESIDE_METRICS: Final = ("loss", "penalty", "objective")
#: Splits with a column each.
_SHOWN_SPLITS: Final = ("validation", "test")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    cells: tuple[str, ...]


def show_runs(document: Mapping[str, Any], screen: Screen, table_format: TableFormat) -> None:
    """Show the runs; ``document`` is what ``runs --json`` prints."""
    if screen.is_json:
        screen.out.line(json_text(document))
    elif table_format == "csv":
        _write_csv(document, screen)
    elif table_format == "markdown":
        columns = _columns(document)
        header = [column.name for column in columns]
        write_markdown(header, zip(*(column.cells for column in columns), strict=True), screen.out)
        _warn_unreadable(document, screen)
    else:
        _show(document, screen)


def _show(document: Mapping[str, Any], screen: Screen) -> None:
    out = screen.out
    if document["runs"]:
        columns, left_out = _fitting(_columns(document), out.width if out.has_width else maxsize)
        rows = zip(*(column.cells for column in columns), strict=True)
        show_table([column.name for column in columns], rows, out)
        if left_out:
            listed = ", ".join(left_out)
            screen.note(f"no room for {listed}: see --json, or widen the terminal")
    for run in document["runs"]:
        if run["message"] and run["status"] != "running":
            start = f"{Path(run['run']).name}: "
            out.hanging(out.paint(start, "dim"), len(start), str(run["message"]))
    for entry in document["unreadable"]:
        start = f"{Path(entry['run']).name}: "
        out.hanging(out.paint(start, "dim"), len(start), f"unreadable: {entry['message']}")
    if not document["runs"]:
        screen.note(_nothing(document))


def _nothing(document: Mapping[str, Any]) -> str:
    where = ", ".join(document["directories"])
    if document["found"]:
        return f"none of {count(document['found'], 'run')} in {where} is like that"
    return f"no runs in {where}"


def _columns(document: Mapping[str, Any]) -> list[_Column]:
    runs: Sequence[Mapping[str, Any]] = document["runs"]

    def column(name: str, cells: Iterable[str]) -> _Column:
        return _Column(name, tuple(cells))

    return [
        column("run", _names(runs)),
        column("status", (run["status"] for run in runs)),
        column("begun", ((run["begun"] or "")[:16].replace("T", " ") for run in runs)),
        column("epochs", (f"{run['epochs']:,}" for run in runs)),
        *(
            column(
                f"{split}.{name}", (_figure(run["metrics"].get(split, {}), name) for run in runs)
            )
            for split, name in _key_figures(runs)
        ),
        *(
            column(key, (_setting(run["settings"][key]) for run in runs))
            for key in (runs[0]["settings"] if runs else ())
        ),
        column("parameters", (_number(run["parameters"]) for run in runs)),
        column("time", ("" if (t := run["train_s"]) is None else duration(t) for run in runs)),
    ]


def _names(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Directories' names; whole paths where the runs lie in several places."""
    paths = [Path(run["run"]) for run in runs]
    is_one = len({path.parent for path in paths}) <= 1
    return [path.resolve().name if is_one else str(path) for path in paths]


def _key_figures(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Per split the figures that matter to one of the runs: the monitored one, the first metric."""
    found: dict[tuple[str, str], None] = {}
    for split in _SHOWN_SPLITS:
        for run in runs:
            figures = run["metrics"].get(split)
            if not figures:
                continue
            monitored_split, _, monitored = (run["monitor"] or "").partition(".")
            if monitored_split == split and monitored in figures:
                found[split, monitored] = None
                continue
            metrics = [name for name in figures if name not in _BESIDE_METRICS]
            found[split, (*metrics, *figures)[0]] = None
    return list(found)


def _figure(figures: Mapping[str, float | None], name: str) -> str:
    return figure(figures[name]) if name in figures else ""


def _setting(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _fitting(columns: list[_Column], width: int) -> tuple[list[_Column], list[str]]:
    """The columns that fit, and the names of those left out; all, if nothing would help."""
    kept, left_out = columns, []
    for name in ("", *_DISPENSABLE):
        if name:
            dropped = [column.name for column in kept if column.name.startswith(name)]
            kept = [column for column in kept if column.name not in dropped]
            left_out += dropped
        rows = list(zip(*(column.cells for column in kept), strict=True))
        if table_width([column.name for column in kept], rows, gap=1) <= width:
            return kept, left_out
    return columns, []


def _write_csv(document: Mapping[str, Any], screen: Screen) -> None:
    """Every figure in a column of its own, in full; what is unreadable has its status say so."""
    runs = document["runs"]
    figures = dict.fromkeys(
        (split, name) for run in runs for split, values in run["metrics"].items() for name in values
    )
    settings = list(runs[0]["settings"]) if runs else []
    facts = ("run", "status", "begun", "epochs", "parameters", "train_s", "message")
    header = [*facts, *settings, *(".".join(key) for key in figures)]
    rows = [
        [
            *(run[name] for name in facts),
            *(run["settings"][key] for key in settings),
            *(run["metrics"].get(split, {}).get(name) for split, name in figures),
        ]
        for run in runs
    ]
    empty = [None] * (len(header) - len(facts))
    rows += [
        [entry["run"], "unreadable", None, None, None, None, entry["message"], *empty]
        for entry in document["unreadable"]
    ]
    write_csv(header, rows, screen.out)


def _warn_unreadable(document: Mapping[str, Any], screen: Screen) -> None:
    for entry in document["unreadable"]:
        screen.warn(f"{entry['run']}: unreadable: {entry['message']}")
