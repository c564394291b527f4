"""What ``eval`` shows: metrics, figures per class, the confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.cli.rendering.tables import show_table, table_width
from bmtrain.cli.stream import Stream
from bmtrain.cli.typesetting import columns
from bmtrain.data.wording.quoting import short
from bmtrain.figures import class_name, count, figure, telling_figures

_MAX_CLASSES: Final = 20
_MAX_CONFUSIONS: Final = 10
#: What a figure takes, and the gap before it.
_FIGURE_COLUMNS: Final = 10


def show_evaluation(document: Mapping[str, Any], screen: Screen) -> None:
    """Show an evaluation; ``document`` is what ``eval --json`` prints."""
    for text in document.get("skipped") or ():
        screen.warn(text)
    if screen.is_json:
        screen.out.line(json_text(document))
        return
    out = screen.out
    out.hanging(out.paint("checkpoint  ", "dim"), 12, str(document["checkpoint"]))
    examples = count(document["examples"], "example")
    out.hanging(out.paint("split       ", "dim"), 12, f"{document['split']}, {examples}")
    out.line()
    metrics: Mapping[str, float | None] = document["metrics"]
    names = telling_figures([metrics])
    longest = max(map(len, names), default=0)
    if longest + _FIGURE_COLUMNS > out.width:
        longest = 0  # no column of figures
    for name in names:
        start = out.paint(f"{name:<{longest}}  ")
        out.hanging(start, columns(start), figure(metrics[name]), "bold")
    if document.get("per_class"):
        _show_classes(document["per_class"], out)
    if document.get("confusion"):
        classes = range(len(document["confusion"]))
        names = [short(class_name(document["class_names"], index)) for index in classes]
        _show_confusion(document["confusion"], names, out)


def _show_classes(per_class: Sequence[Mapping[str, Any]], out: Stream) -> None:
    shown = list(per_class)
    out.line()
    if len(shown) > _MAX_CLASSES:
        # Where there is no f1 there is neither an example nor a prediction to look at.
        shown.sort(key=lambda entry: math.inf if entry["f1"] is None else entry["f1"])
        shown = shown[:_MAX_CLASSES]
        number = f"{len(per_class):,}"
        out.paragraph(f"the {_MAX_CLASSES} lowest f1 of {number} classes (--json: all)", "dim")

    def ratio(value: float | None) -> str:
        return out.symbols.none if value is None else figure(value)

    rows = [
        [
            short(str(entry["class"])),
            *(ratio(entry[name]) for name in ("precision", "recall", "f1")),
            f"{entry['support']:,}",
        ]
        for entry in shown
    ]
    show_table(["class", "precision", "recall", "f1", "support"], rows, out)


def _show_confusion(confusion: Sequence[Sequence[int]], names: Sequence[str], out: Stream) -> None:
    """The matrix where it fits, else the pairs that are confused most."""
    rows = [
        [name, *(str(number) if number else "." for number in row)]
        for name, row in zip(names, confusion, strict=True)
    ]
    header = ["true", *names]
    out.line()
    if len(names) <= _MAX_CLASSES and table_width(header, rows) <= out.width:
        out.paragraph("confusion matrix: a row per true class, a column per predicted one", "dim")
        show_table(header, rows, out)
        return
    pairs = [
        (number, names[true], names[predicted])
        for true, row in enumerate(confusion)
        for predicted, number in enumerate(row)
        if number and true != predicted
    ]
    if not pairs:
        out.paragraph("no class was taken for another", "dim")
        return
    out.paragraph("confused most often (--json: the whole matrix)", "dim")
    pairs.sort(key=lambda pair: -pair[0])
    most = [[true, predicted, f"{number:,}"] for number, true, predicted in pairs[:_MAX_CONFUSIONS]]
    show_table(["true", "predicted", "count"], most, out)
