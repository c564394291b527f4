"""What ``compare`` shows: what differs, figures side by side, and the evidence in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.table_files import TableFormat, write_csv, write_markdown
from bmtrain.cli.rendering.tables import show_table
from bmtrain.cli.stream import Style
from bmtrain.figures import duration, figure

_SECTIONS: Final = ("config", "data", "environment", "metrics")
_LONGEST: Final = 40
#: Characters of a sha256 that tell two apart.
_HASH: Final = 8
_STYLES: Final[dict[str, Style]] = {
    "better": "green",
    "worse": "green",
    "no evidence": "yellow",
    "untested": "yellow",
}


def show_comparison(document: Mapping[str, Any], screen: Screen, table_format: TableFormat) -> None:
    """Show a comparison; ``document`` is what ``compare --json`` prints."""
    if screen.is_json:
        screen.out.line(json_text(document))
    elif table_format == "csv":
        _write_csv(document, screen)
    elif table_format == "markdown":
        _write_markdown(document, screen)
    else:
        _show(document, screen)


def _show(document: Mapping[str, Any], screen: Screen) -> None:
    out = screen.out
    for run in document["runs"]:
        start = f"{run['label']}  "
        status = "" if run["status"] == "completed" else f" ({run['status']})"
        out.hanging(out.paint(start, "bold"), len(start), f"{run['run']}{status}")
    same = [name for name in _SECTIONS if not document[name]]
    for name in _SECTIONS:
        if document[name]:
            out.line()
            header, rows = _table(name, document)
            show_table(header, rows, out)
    if same:
        out.line()
        out.paragraph(f"the same in all: {', '.join(same)}", "dim")
    if document["groups"]:
        out.line()
        header, rows = _group_table(document)
        show_table(header, rows, out)
    if document["evidence"] or document["notes"]:
        out.line()
    for entry in document["evidence"]:
        out.paragraph(entry["text"], _STYLES[entry["verdict"]])
    for note in document["notes"]:
        out.paragraph(note, "dim")


def _labels(document: Mapping[str, Any]) -> list[str]:
    return [run["label"] for run in document["runs"]]


def _table(section: str, document: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    labels = _labels(document)
    rows = [
        [row["key"], *(_shown(section, row["key"], row["values"], label) for label in labels)]
        for row in document[section]
    ]
    return [section, *labels], rows


def _shown(section: str, key: str, values: Mapping[str, Any], label: str) -> str:
    if label not in values:
        return ""
    value = values[label]
    last = key.rpartition(".")[2]
    if (last in {"fingerprint", "commit"} or key.startswith("fingerprints.")) and isinstance(
        value, str
    ):
        return value[:_HASH]
    if section == "metrics":
        return _PRINTED.get(key, figure)(value)
    text = _whole(value) if section == "data" and type(value) is int else _scalar(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _scalar(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    return str(value)


def _whole(value: Any) -> str:
    return "" if value is None else f"{value:,}"


def _seconds(value: Any) -> str:
    return "" if value is None else duration(value)


_PRINTED: Final[dict[str, Callable[[Any], str]]] = {
    "epochs": _whole,
    "parameters": _whole,
    "train_s": _seconds,
}


def _group_table(document: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            ", ".join(group["runs"]),
            ", ".join(map(str, group["seeds"])),
            "" if group["mean"] is None else figure(group["mean"]),
            "" if (spread := group["standard_deviation"]) is None else f"{spread:.2g}",
        ]
        for group in document["groups"]
    ]
    return ["runs", "seeds", f"mean {document['figure']}", "s.d."], rows


def _write_csv(document: Mapping[str, Any], screen: Screen) -> None:
    """Values in full; the words go to stderr."""
    labels = _labels(document)
    rows = [
        [section, row["key"], *(row["values"].get(label) for label in labels)]
        for section in _SECTIONS
        for row in document[section]
    ]
    write_csv(["section", "key", *(run["run"] for run in document["runs"])], rows, screen.out)
    for text in _words(document):
        screen.note(text)


def _write_markdown(document: Mapping[str, Any], screen: Screen) -> None:
    out = screen.out
    for run in document["runs"]:
        out.line(f"- {run['label']}: `{run['run']}`")
    tables = [_table(name, document) for name in _SECTIONS if document[name]]
    if document["groups"]:
        tables.append(_group_table(document))
    for header, rows in tables:
        out.line()
        write_markdown(header, rows, out)
    out.line()
    for text in _words(document):
        out.line(f"- {text}")


def _words(document: Mapping[str, Any]) -> Sequence[str]:
    return [*(entry["text"] for entry in document["evidence"]), *document["notes"]]
