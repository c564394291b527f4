"""Figures by epoch, as Vega-Lite: lines over each other, and where the best epoch is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bmtrain.figures import figure
from bmtrain.pages.charts import (
    COLOURS,
    HEIGHT,
    INK,
    NUM_COLOURS,
    TOLD,
    WIDTH,
    layered,
    named_scale,
    plain,
    quantity,
    told,
)

#: A loss that falls this far is drawn on a logarithmic scale.
_LOG_FROM: Final = 30.0
_PERCENT: Final = "format(100 * datum.value, '.4~g') + '\u00a0%'"
_DASHES: Final = ([1, 0], [5, 4])
#: Each of them has its number on the axis.
_FEW_EPOCHS: Final = 8
_LEGEND_ROW: Final = 17


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: its name, its colour's number, whether it is dashed, (x, y) of its points."""

    name: str
    colour: int
    dashed: bool
    points: tuple[tuple[float, float], ...]


def needs_log(curves: Iterable[Curve]) -> bool:
    """Whether the values are positive and span so much that the small ones would lie on a line."""
    values = [y for curve in curves for _, y in curve.points]
    return bool(values) and min(values) > 0 and max(values) / min(values) >= _LOG_FROM


def curves_spec(
    curves: Sequence[Curve],
    y_title: str,
    *,
    marked: tuple[float, str] | None = None,
    log: bool = False,
    shown: Callable[[float], str] = figure,
) -> dict[str, Any]:
    """Lines by epoch; ``marked``: where a vertical line stands, and what it says.

    ``shown``: how a value is told; where 1 is told in percent, the axis is in percent, too.

    Under the pointer, at each epoch: the values of all lines there.
    """
    rows = [{"x": x, "y": y, "name": curve.name} for curve in curves for x, y in curve.points]
    names = [curve.name for curve in curves]
    columns = _columns(curves)
    legend = {"columns": columns, "symbolType": "stroke"} if len(curves) > 1 else None
    dashes = [_DASHES[curve.dashed] for curve in curves]
    colour = named_scale(names, [COLOURS[curve.colour % NUM_COLOURS] for curve in curves], legend)
    lines: dict[str, Any] = {
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 50} if len(rows) == len(curves) else False},
        "encoding": {
            "x": _epochs(curves),
            "y": _values(curves, y_title, log=log),
            "color": colour,
            "strokeDash": named_scale(names, dashes, legend),
        },
    }
    more_rows = (len(curves) - 1) // columns
    if "%" in shown(1.0):
        lines["encoding"]["y"]["axis"] |= {"labelExpr": _PERCENT}
    layers = [lines, *_marking(marked, curves), _hover(curves, shown)]
    return layered(layers, height=HEIGHT + _LEGEND_ROW * more_rows)


def _columns(curves: Sequence[Curve]) -> int:
    """Of a legend: as many as fit beside each other; a dashed line and its other half in one row."""
    most = max(1, WIDTH // (34 + 8 * max((len(curve.name) for curve in curves), default=1)))
    is_paired = any(curve.dashed for curve in curves) and not all(curve.dashed for curve in curves)
    return most - most % 2 if is_paired and most > 1 else most


def _epochs(curves: Sequence[Curve]) -> dict[str, Any]:
    """The axis of epochs: whole ones."""
    axis = quantity("x", "epoch", whole=True)
    epochs = sorted({x for curve in curves for x, _ in curve.points})
    if len(epochs) <= _FEW_EPOCHS:
        axis["axis"] |= {"values": epochs}
    return axis


def _values(curves: Sequence[Curve], title: str, *, log: bool) -> dict[str, Any]:
    """The axis of a figure; one that never changed has room on both sides."""
    axis = quantity("y", f"{title} (logarithmic)" if log else title, log=log)
    values = {y for curve in curves for _, y in curve.points}
    if len(values) == 1:
        (value,) = values
        room = abs(value) / 10 or 1.0
        axis["scale"] = {"domain": [value - room, value + room], "nice": True}
    return axis


def _hover(curves: Sequence[Curve], shown: Callable[[float], str]) -> dict[str, Any]:
    """A vertical line at each x, unseen until it is pointed at."""
    texts_at: dict[float, list[str]] = {}
    for curve in curves:
        for x, y in curve.points:
            texts_at.setdefault(x, []).append(f"{curve.name} {shown(y)}")
    rows = [
        {"x": x, "told": f"epoch {x:,.10g}: {', '.join(texts)}"}
        for x, texts in sorted(texts_at.items())
    ]
    width = max(3.0, min(24.0, WIDTH / max(len(rows), 1)))
    return {
        "data": {"values": rows},
        "mark": {**TOLD, "type": "rule", "color": INK, "opacity": 0, "strokeWidth": width},
        "encoding": {"x": _epochs(curves), "description": told()},
    }


def _marking(marked: tuple[float, str] | None, curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """A vertical line, and above it, towards the middle of the chart, what it says."""
    if marked is None:
        return []
    epochs = [x for curve in curves for x, _ in curve.points] or [marked[0]]
    is_left = marked[0] < (min(epochs) + max(epochs)) / 2
    data = {"values": [{"x": marked[0], "text": marked[1]}]}
    x = plain("x")
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": INK, "strokeDash": [2, 3]},
            "encoding": {"x": x},
        },
        {
            "data": data,
            "mark": {
                "type": "text", "color": INK, "fontSize": 12, "y": -10,
                "align": "left" if is_left else "right",
            },
            "encoding": {"x": x, "text": {"field": "text"}},
        },
    ]  # fmt: skip
