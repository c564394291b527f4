"""Vega-Lite to SVG that stands in a page: in its colours, with a title under the pointer."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any, Final

from bmtrain.errors import EnvironmentFault
from bmtrain.pages.content import Chart
from bmtrain.pages.signs import printable
from bmtrain.program import pip

#: The extra `report` of pyproject.toml. The distribution itself may come from no index.
PACKAGES: Final = ("vl-convert-python>=1.8,<2",)
_SVG: Final = "http://www.w3.org/2000/svg"
#: What all charts have in common.
_CONFIG: Final[Mapping[str, Any]] = {
    "aria": False,  # but for the marks that say what they are
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "var(--line)",
        "gridColor": "var(--line)",
        "gridOpacity": 0.6,
        "labelColor": "var(--ink)",
        "labelFontSize": 13,
        "tickColor": "var(--line)",
        "titleColor": "var(--ink)",
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "titlePadding": 14,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 13,
        "labelLimit": 220,
        "symbolStrokeWidth": 2.5,
        "offset": 22,
        "orient": "top",
        "title": None,
    },
    "line": {"strokeWidth": 2},
}


def require_packages(command: str) -> None:
    """EnvironmentFault where what draws charts is not installed."""
    try:
        import vl_convert  # noqa: F401  # the question is whether it can be
    except ImportError as error:
        raise EnvironmentFault(
            f"{command} needs packages that are not installed here ({error.name or error})",
            hint=pip("install", *PACKAGES),
        ) from error


def drawn(chart: Chart) -> str:
    """The chart as an ``<svg>`` element; every text in it is escaped.

    A mark with a description gets it as its ``<title>``, which browsers show under the pointer,
    and the class ``tip``.
    """
    import vl_convert

    spec = {**_printable(chart.spec), "config": _CONFIG}
    svg = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    root = ET.fromstring(svg)  # noqa: S314  # written by vl_convert, a line above
    for element in root.iter():
        told = element.attrib.pop("aria-label", None)
        if told:
            element.set("class", "tip")
            ET.SubElement(element, f"{{{_SVG}}}title").text = told
        for name in ("role", "aria-roledescription", "aria-hidden"):
            element.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", printable(chart.alternative))
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _printable(value: Any) -> Any:
    """A spec in which every text is one that XML can hold."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {_printable(key): _printable(entry) for key, entry in value.items()}
    return [_printable(entry) for entry in value] if isinstance(value, list | tuple) else value
