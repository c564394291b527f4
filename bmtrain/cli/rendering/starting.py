"""What init shows: what it saw, what it chose and why, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.stream import Stream, Style
from bmtrain.data.wording.quoting import quoted

_MAX_SHOWN: Final = 10
_MAX_ALTERNATIVES: Final = 3
#: Faults of cells, which whoever has the data will want to mend.
_OF_CELLS: Final = {"missing", "wrong"}


def show_recipes(document: Mapping[str, Any], screen: Screen) -> None:
    """A line for each recipe: what it is, its time and its result; then one for each data set."""
    if screen.is_json:
        screen.out.line(json_text(document))
        return
    out = screen.out
    entries = (*document["recipes"], *document["data_sets"])
    room = max(len(entry["name"]) for entry in entries) + 2
    for recipe in document["recipes"]:
        ((figure, value),) = recipe["result"].items()
        cost = f"{recipe['time_s']} s on {recipe['cores']} CPU cores"
        result = f"{figure.replace('.', ' ')} {value}"
        start = out.paint(f"{recipe['name']:<{room}}", "bold")
        out.hanging(start, room, f"{_sentence(recipe['about'])} {cost}, {result}.")
    out.line()
    out.paragraph("Data that comes with bmtrain, each read by a config with data: {source: NAME}")
    for bundled in document["data_sets"]:
        start = out.paint(f"{bundled['name']:<{room}}", "bold")
        label = "" if bundled["label"] is None else f", label {bundled['label']}"
        size = f"{bundled['examples']:,} examples, {bundled['size']}, {bundled['task']}{label}"
        out.hanging(start, room, f"{bundled['about']}. {size}. {bundled['licence']}.")


def show_init(document: Mapping[str, Any], screen: Screen) -> None:
    """What was written; of data, what was seen. A config on stdout has it for itself."""
    is_on_stdout = document["config"] is None
    if screen.is_json:
        screen.out.line(json_text(document))
        return
    if screen.quiet:
        _warn(document, screen)
    else:
        out = screen.err if is_on_stdout else screen.out
        for name, text in _facts(document):
            style: Style | None = "yellow" if name == "header" else None
            out.hanging(out.paint(f"{name:<10}", "dim"), 10, text, style)
        _show_left_out(document, out)
        _show_next(document, out)
    if is_on_stdout:
        screen.out.write(document["text"])
        screen.out.flush()


def _facts(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data = document["data"]
    if data is None:
        yield "recipe", document["recipe"]
        return
    yield "data", f"{data['path']}: {data['summary']}"
    if doubt := data.get("header_doubt"):
        yield "header", doubt
    if label := data.get("label"):
        yield "label", f"{label['name']}: {label['reason']}"
        if label["is_ambiguous"]:
            others = label["alternatives"][:_MAX_ALTERNATIVES]
            named = "; ".join(f"{quoted(other['name'])} ({other['reason']})" for other in others)
            yield "", f"it could also be {named}: --label chooses"
    yield ("classes" if data["task"] == "classification" else "targets"), data["targets"]


def _show_left_out(document: Mapping[str, Any], out: Stream) -> None:
    left_out = (document["data"] or {}).get("left_out", ())
    for number, left in enumerate(left_out[:_MAX_SHOWN]):
        name = "left out  " if number == 0 else " " * 10
        style: Style | None = "yellow" if left["fault"] in _OF_CELLS else None
        out.hanging(out.paint(name, "dim"), 10, f"{left['name']}: {left['reason']}", style)
    if len(left_out) > _MAX_SHOWN:
        out.paragraph(f"{' ' * 10}and {len(left_out) - _MAX_SHOWN:,} more, in the config")


def _show_next(document: Mapping[str, Any], out: Stream) -> None:
    chosen = {choice["key"]: choice for choice in document["choices"]}
    if tokens := chosen.get("data.tokens"):
        text = f"{chosen['data.text']['value']}: {tokens['reason']}"
        out.hanging(out.paint("text      ", "dim"), 10, text)
    if (image := chosen.get("data.image")) and "column" in image["value"]:
        text = f"{image['value']['column']}: {image['reason']}"
        out.hanging(out.paint("pictures  ", "dim"), 10, text)
    if splits := chosen.get("data.splits"):
        text = splits["reason"] if splits["is_active"] else f"none: {splits['reason']}"
        out.hanging(out.paint("splits    ", "dim"), 10, text)
    if model := chosen.get("model", chosen.get("model.layers")):
        out.hanging(out.paint("model     ", "dim"), 10, model["reason"])
    if document["config"] is not None:
        out.hanging(out.paint("wrote     ", "dim"), 10, str(document["config"]))
    else:
        note = "the line for editors wants the schema beside the config:"
        out.hanging(out.paint("schema    ", "dim"), 10, f"{note} {document['schema_command']}")
    for number, command in enumerate(document["next"]):
        out.hanging(out.paint("          " if number else "next      ", "dim"), 10, command)


def _warn(document: Mapping[str, Any], screen: Screen) -> None:
    data = document["data"] or {}
    if doubt := data.get("header_doubt"):
        screen.warn(doubt)
    for left in data.get("left_out", ()):
        if left["fault"] in _OF_CELLS:
            screen.warn(f"column {quoted(left['name'])} is left out: {left['reason']}")


def _sentence(text: str) -> str:
    return text if text.endswith("?") else f"{text}."
