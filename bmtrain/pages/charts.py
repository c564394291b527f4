"""The charts of a report, as Vega-Lite: https://vega.github.io/vega-lite/docs/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 430
HEIGHT: Final = 300
#: The page's colours for what is told apart, as ``style.css`` has them.
NUM_COLOURS: Final = 8
COLOURS: Final = tuple(f"var(--series-{number})" for number in range(1, NUM_COLOURS + 1))
INK: Final = "var(--ink)"
#: Of marks that say what they are, under the pointer.
TOLD: Final[Mapping[str, Any]] = {"aria": True}


#: Of a bin's point, by its number of examples.
_AREA: Final[Mapping[str, Any]] = {
    "field": "count",
    "type": "quantitative",
    "scale": {"range": [16, 260], "zero": True},
    "legend": None,
}


def reliability_spec(bins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How often a model is right against how sure it is, and how sure it should have been.

    Args:
        bins: ``confidence``, ``share``, ``low``, ``high``, ``count``, ``told`` of each bin with
            examples; the area of its point grows with their number.
    """
    data = {"values": [dict(entry) for entry in bins]}
    x = quantity("confidence", "probability given to its answer", unit=True)
    y = quantity("share", "share of right answers", unit=True)
    ends = {"x": x, "y": {**quantity("low", None, unit=True), "title": y["title"]}}
    diagonal = {
        "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
        "mark": {"type": "line", "color": INK, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": plain("x"), "y": plain("y")},
    }
    bars = {
        "data": data,
        "mark": {"type": "rule", "color": COLOURS[0], "strokeWidth": 1.5},
        "encoding": {**ends, "y2": {"field": "high"}},
    }
    points = {
        "data": data,
        "mark": {"type": "point", "filled": True, "color": COLOURS[0], "opacity": 1},
        "encoding": {"x": x, "y": y, "size": _AREA},
    }
    return layered([diagonal, bars, points, _target(data, {"x": x, "y": y})])


def histogram_spec(
    bars: Sequence[Mapping[str, Any]],
    x_title: str,
    y_title: str,
    *,
    unit: bool = False,
    counted: bool = False,
) -> dict[str, Any]:
    """Bars from ``low`` to ``high`` of height ``count``, each with what is ``told`` of it.

    ``counted``: each with its number above it, or a bar of 1 beside one of 1,000 is not seen.
    """
    mark = {**TOLD, "type": "bar", "color": COLOURS[0], "stroke": "var(--page)", "strokeWidth": 1}
    encoding = {
        "x": quantity("low", x_title, unit=unit),
        "x2": {"field": "high"},
        "y": {"field": "count", "type": "quantitative", "title": y_title, "axis": {"tickMinStep": 1}},
        "y2": {"datum": 0},
        "description": told(),
    }  # fmt: skip
    rows = [{**bar, "middle": (bar["low"] + bar["high"]) / 2} for bar in bars]
    data = {"values": rows}
    layers = [{"data": data, "mark": mark, "encoding": encoding}]
    if counted:
        text = {"type": "text", "color": INK, "fontSize": 11, "baseline": "bottom", "dy": -2}
        at = {"x": plain("middle"), "y": plain("count"), "text": {"field": "count"}}
        layers.append({"data": data, "mark": text, "encoding": at})
    return layered(layers)


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
        "mark": {"type": "line", "color": INK, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": plain("x"), "y": plain("y")},
    }
    at = {"x": quantity("x", x_title), "y": quantity("y", y_title)}
    shown = {
        "data": data,
        "mark": {
            **TOLD,
            "type": "point",
            "filled": True,
            "size": 22,
            "color": COLOURS[0],
            "opacity": 0.55,
        },
        "encoding": {**at, "description": told()},
    }
    return layered([shown, reference])


def _target(data: Mapping[str, Any], encoding: Mapping[str, Any]) -> dict[str, Any]:
    """What is pointed at: larger than what is seen."""
    mark = {**TOLD, "type": "point", "filled": True, "size": 500, "color": INK, "opacity": 0}
    return {"data": data, "mark": mark, "encoding": {**encoding, "description": told()}}


def plain(name: str) -> dict[str, Any]:
    """A quantity whose axis another layer describes."""
    return {"field": name, "type": "quantitative"}


def told() -> dict[str, Any]:
    """What a mark says under the pointer."""
    return {"field": "told", "type": "nominal"}


def quantity(
    name: str, title: str | None, *, whole: bool = False, log: bool = False, unit: bool = False
) -> dict[str, Any]:
    """An axis; ``unit``: from 0 to 1."""
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


def named_scale(names: Sequence[str], values: Sequence[Any], legend: Any) -> dict[str, Any]:
    """What each name is shown by."""
    scale = {"domain": list(names), "range": list(values)}
    return {"field": "name", "type": "nominal", "scale": scale, "legend": legend}


def layered(layers: Sequence[Mapping[str, Any]], height: int = HEIGHT) -> dict[str, Any]:
    """All charts of one width, whatever their axes say: their letters are of one size, too."""
    fit = {"type": "fit", "contains": "padding"}
    return {"width": WIDTH, "height": height, "autosize": fit, "layer": list(layers)}
