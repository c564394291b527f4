"""The charts of a report, as Vega-Lite: https://vega.github.io/vega-lite/docs/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bmtrain.figures import figure

_WIDTH: Final = 430
_HEIGHT: Final = 300
#: The page's colours for what is told apart, as ``style.css`` has them.
NUM_COLOURS: Final = 8
COLOURS: Final = tuple(f"var(--series-{number})" for number in range(1, NUM_COLOURS + 1))
_INK: Final = "var(--ink)"
#: A loss that falls this far is drawn on a logarithmic scale.
_LOG_FROM: Final = 30.0
#: Of marks that say what they are, under the pointer.
_TOLD: Final[Mapping[str, Any]] = {"aria": True}
_DASHES: Final = ([1, 0], [5, 4])
#: Each of them has its number on the axis.
_FEW_EPOCHS: Final = 8


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
) -> dict[str, Any]:
    """Lines by epoch; ``marked``: where a vertical line stands, and what it says.

    Under the pointer, at each epoch: the values of all lines there.
    """
    rows = [{"x": x, "y": y, "name": curve.name} for curve in curves for x, y in curve.points]
    names = [curve.name for curve in curves]
    legend = {"columns": _columns(names), "symbolType": "stroke"} if len(curves) > 1 else None
    dashes = [_DASHES[curve.dashed] for curve in curves]
    colour = _scale(names, [COLOURS[curve.colour % NUM_COLOURS] for curve in curves], legend)
    lines = {
        "data": {"values": rows},
        "mark": {"type": "line", "point": {"size": 50} if len(rows) == len(curves) else False},
        "encoding": {
            "x": _epochs(curves),
            "y": _values(curves, y_title, log=log),
            "color": colour,
            "strokeDash": _scale(names, dashes, legend),
        },
    }
    return _layered([lines, *_marking(marked, curves), _hover(curves)])


def _columns(names: Sequence[str]) -> int:
    """Of a legend: as many as fit beside each other."""
    return max(1, _WIDTH // (34 + 8 * max(map(len, names))))


def _epochs(curves: Sequence[Curve]) -> dict[str, Any]:
    """The axis of epochs: whole ones."""
    axis = _quantity("x", "epoch", whole=True)
    epochs = sorted({x for curve in curves for x, _ in curve.points})
    if len(epochs) <= _FEW_EPOCHS:
        axis["axis"] |= {"values": epochs}
    return axis


def _values(curves: Sequence[Curve], title: str, *, log: bool) -> dict[str, Any]:
    """The axis of a figure; one that never changed has room on both sides."""
    axis = _quantity("y", f"{title} (logarithmic)" if log else title, log=log)
    values = {y for curve in curves for _, y in curve.points}
    if len(values) == 1:
        (value,) = values
        room = abs(value) / 10 or 1.0
        axis["scale"] = {"domain": [value - room, value + room], "nice": True}
    return axis


def _hover(curves: Sequence[Curve]) -> dict[str, Any]:
    """A vertical line at each x, unseen until it is pointed at."""
    told: dict[float, list[str]] = {}
    for curve in curves:
        for x, y in curve.points:
            told.setdefault(x, []).append(f"{curve.name} {figure(y)}")
    rows = [
        {"x": x, "told": f"epoch {x:,.10g}: {', '.join(texts)}"}
        for x, texts in sorted(told.items())
    ]
    width = max(3.0, min(24.0, _WIDTH / max(len(rows), 1)))
    return {
        "data": {"values": rows},
        "mark": {**_TOLD, "type": "rule", "color": _INK, "opacity": 0, "strokeWidth": width},
        "encoding": {"x": _epochs(curves), "description": _told()},
    }


def _marking(marked: tuple[float, str] | None, curves: Sequence[Curve]) -> list[dict[str, Any]]:
    """A vertical line, and above it, towards the middle of the chart, what it says."""
    if marked is None:
        return []
    epochs = [x for curve in curves for x, _ in curve.points] or [marked[0]]
    is_left = marked[0] < (min(epochs) + max(epochs)) / 2
    data = {"values": [{"x": marked[0], "text": marked[1]}]}
    x = _plain("x")
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": _INK, "strokeDash": [2, 3]},
            "encoding": {"x": x},
        },
        {
            "data": data,
            "mark": {
                "type": "text", "color": _INK, "fontSize": 12, "y": -7,
                "align": "left" if is_left else "right",
            },
            "encoding": {"x": x, "text": {"field": "text"}},
        },
    ]  # fmt: skip


def reliability_spec(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How often a model is right against how sure it is, and how sure it should have been.

    Args:
        bins: ``confidence``, ``share``, ``low``, ``high``, ``told`` of each bin with examples.
    """
    data = {"values": [dict(entry) for entry in bins]}
    x = _quantity("confidence", "probability that it gives its answer", unit=True)
    y = _quantity("share", "share of right answers", unit=True)
    ends = {"x": x, "y": {**_quantity("low", None, unit=True), "title": y["title"]}}
    diagonal = {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
        "mark": {"type": "line", "color": _INK, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": _plain("x"), "y": _plain("y")},
    }
    bars = {
        "data": data,
        "mark": {"type": "rule", "color": COLOURS[0], "strokeWidth": 1.5},
        "encoding": {**ends, "y2": {"field": "high"}},
    }
    points = {
        "data": data,
        "mark": {"type": "point", "filled": True, "size": 70, "color": COLOURS[0], "opacity": 1},
        "encoding": {"x": x, "y": y},
    }
    return _layered([diagonal, bars, points, _target(data, {"x": x, "y": y})])


def histogram_spec(
    bars: Sequence[Mapping[str, Any]], x_title: str, y_title: str, *, unit: bool = False
) -> dict[str, Any]:
    """Bars from ``low`` to ``high`` of height ``count``, each with what is ``told`` of it."""
    mark = {**_TOLD, "type": "bar", "color": COLOURS[0], "stroke": "var(--page)", "strokeWidth": 1}
    encoding = {
        "x": _quantity("low", x_title, unit=unit),
        "x2": {"field": "high"},
        "y": {"field": "count", "type": "quantitative", "title": y_title, "axis": {"tickMinStep": 1}},
        "y2": {"datum": 0},
        "description": _told(),
    }  # fmt: skip
    return _layered([{"data": {"values": [dict(bar) for bar in bars]}, "mark": mark, "encoding": encoding}])  # fmt: skip


def scatter_spec(
    points: Sequence[Mapping[str, Any]], x_title: str, y_title: str, *, line: str
) -> dict[str, Any]:
    """Points (``x``, ``y``, ``told``); ``line``: "diagonal", where both are equal, or "zero"."""
    data = {"values": [dict(point) for point in points]}
    xs = [point["x"] for point in points]
    low, high = min(xs), max(xs)
    ends = [(low, low), (high, high)] if line == "diagonal" else [(low, 0), (high, 0)]
    reference = {
        "data": {"values": [{"x": x, "y": y} for x, y in ends]},
        "mark": {"type": "line", "color": _INK, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": _plain("x"), "y": _plain("y")},
    }
    at = {"x": _quantity("x", x_title), "y": _quantity("y", y_title)}
    shown = {
        "data": data,
        "mark": {
            **_TOLD,
            "type": "point",
            "filled": True,
            "size": 22,
            "color": COLOURS[0],
            "opacity": 0.55,
        },
        "encoding": {**at, "description": _told()},
    }
    return _layered([shown, reference])


def _target(data: Mapping[str, Any], encoding: Mapping[str, Any]) -> dict[str, Any]:
    """What is pointed at: larger than what is seen."""
    mark = {**_TOLD, "type": "point", "filled": True, "size": 500, "color": _INK, "opacity": 0}
    return {"data": data, "mark": mark, "encoding": {**encoding, "description": _told()}}


def _plain(name: str) -> dict[str, Any]:
    """A quantity whose axis another layer describes."""
    return {"field": name, "type": "quantitative"}


def _told() -> dict[str, Any]:
    return {"field": "told", "type": "nominal"}


def _quantity(
    name: str, title: str | None, *, whole: bool = False, log: bool = False, unit: bool = False
) -> dict[str, Any]:
    axis: dict[str, Any] = {"tickCount": 5, "labelFlush": False}
    if whole:
        axis |= {"tickMinStep": 1, "grid": False, "format": ",d"}
    scale: dict[str, Any] = {"zero": False, "nice": not whole}
    if unit:
        scale = {"domain": [0, 1]}
    if log:
        scale = {"type": "log", "nice": True}
        axis |= {"format": "~g", "labelOverlap": "greedy", "tickCount": 4}
    return {"field": name, "type": "quantitative", "title": title, "axis": axis, "scale": scale}


def _scale(names: Sequence[str], values: Sequence[Any], legend: Any) -> dict[str, Any]:
    scale = {"domain": list(names), "range": list(values)}
    return {"field": "name", "type": "nominal", "scale": scale, "legend": legend}


def _layered(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All charts of one size, whatever their axes say: their letters are of one size, too."""
    fit = {"type": "fit", "contains": "padding"}
    return {"width": _WIDTH, "height": _HEIGHT, "autosize": fit, "layer": list(layers)}
