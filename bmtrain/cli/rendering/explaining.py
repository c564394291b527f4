"""What ``explain`` shows: each example's most telling parts, then what holds for the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.tables import show_table
from bmtrain.cli.stream import Stream
from bmtrain.data.wording.quoting import short
from bmtrain.figures import count, figure

_MOST: Final = 5
_MOST_COLUMNS: Final = 15


def show_explanations(document: Mapping[str, Any], screen: Screen) -> None:
    """Show explanations; ``document`` is what ``explain --json`` prints."""
    for text in document.get("skipped") or ():
        screen.warn(text)
    if screen.is_json:
        screen.out.line(json_text(document, indent=None))
        return
    out = screen.out
    _say("checkpoint", document["checkpoint"], out)
    _say("baseline", document["baseline"], out)
    for entry in document["examples"]:
        _show_example(entry, out)
    if document["permutation"]:
        _show_permutation(document["permutation"], out)
    if document["weights"] and document["weights"]["features"]:
        features = document["weights"]["features"][:_MOST_COLUMNS]
        out.line()
        layer = f"layer {document['weights']['layer']} ({document['weights']['type']})"
        out.paragraph(f"{layer}: the root of the sum of squared weights", "dim")
        show_table(
            ["column", "norm"], [[short(f["name"]), figure(f["norm"])] for f in features], out
        )
    out.line()
    _say("written", document["page"], out)


def _say(name: str, text: str, out: Stream) -> None:
    start = f"{name:<10}  "
    out.hanging(out.paint(start, "dim"), len(start), str(text))


def _show_example(entry: Mapping[str, Any], out: Stream) -> None:
    out.line()
    predicted = entry["predicted"]
    words = ", ".join(map(figure, predicted)) if isinstance(predicted, list) else str(predicted)
    if entry["probability"] is not None:
        words += f" ({figure(entry['probability'])})"
    if entry["target"] is not None:
        target = entry["target"]
        true = ", ".join(map(figure, target)) if isinstance(target, list) else str(target)
        words += f"; true {true}"
    if not isinstance(predicted, list) and entry["explained"] != predicted:
        words += f"; explained {entry['explained']}"
    _say(f"example {entry['example']}", words, out)
    integral = entry["integrated_gradients"]
    if entry["names"]:
        _show_parts(entry, out)
    if integral is not None:
        out.paragraph(
            f"integrated gradients: {integral['completeness']}",
            "dim" if integral["is_complete"] else "yellow",
        )


def _show_parts(entry: Mapping[str, Any], out: Stream) -> None:
    columns: dict[str, Sequence[float | None]] = {}
    if entry["integrated_gradients"] is not None:
        columns["attribution"] = entry["integrated_gradients"]["attributions"]
    if entry["occlusion"] is not None:
        columns["occluded"] = entry["occlusion"]["losses"]
    if not columns:
        return
    sizes = [abs(value or 0.0) for value in next(iter(columns.values()))]
    order = sorted(range(len(sizes)), key=lambda at: -sizes[at])[:_MOST]
    cells = entry["values"]
    rows = [
        [
            *([] if cells else [f"{at + 1:,}"]),
            short(entry["names"][at]),
            *([short(cells[at])] if cells else []),
            *(_signed(values[at], out) for values in columns.values()),
        ]
        for at in order
    ]
    header = ["column", "value", *columns] if cells else ["place", "token", *columns]
    show_table(header, rows, out)


def _signed(value: float | None, out: Stream) -> str:
    return out.symbols.none if value is None else f"{value:+.4f}"


def _show_permutation(permutation: Mapping[str, Any], out: Stream) -> None:
    out.line()
    examples = count(permutation["examples"], "example")
    out.paragraph(
        f"permutation importance: what {permutation['metric']} {figure(permutation['value'])} on "
        f"{examples} loses, mean and s.d. of {count(permutation['repeats'], 'permutation')}",
        "dim",
    )
    rows = [
        [short(f["name"]), _signed(f["importance"], out), figure(f["standard_deviation"])]
        for f in permutation["features"][:_MOST_COLUMNS]
    ]
    show_table(["column", "importance", "s.d."], rows, out)
