"""Explanations as one HTML file that needs no script, no network and no other file.

Everything is put together as elements and written by ElementTree, which escapes each text and
each attribute: no name in the data can become markup.
"""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STYLE: Final = Path(__file__).parent / "page.css"
#: Nothing may be loaded or run, whatever stands in the page.
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)
LEGEND: Final = "Blue speaks for it, red against it; the stronger the colour, the more."


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; ``is_warning``: of what did not come out as it should."""

    text: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one under the other."""

    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pictures:
    """(caption, PNG) side by side."""

    pictures: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text, coloured by their values."""

    caption: str
    tokens: Sequence[str]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Bars:
    """A table whose last cell is a bar.

    Attributes:
        header: of the cells before the bar.
        rows: (cells, value): to the right of the middle where it is positive.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[tuple[Sequence[str], float]]


Block = Words | Facts | Pictures | Tokens | Bars


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what is under it."""

    title: str
    blocks: Sequence[Block]


def page(title: str, sections: Sequence[Section]) -> str:
    """The HTML; the first section has the page's own title and no other."""
    html = ET.Element("html", lang="en")
    head = _child(html, "head")
    _child(head, "meta", charset="utf-8")
    _child(head, "meta", **{"http-equiv": "Content-Security-Policy", "content": _POLICY})
    _child(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    _child(head, "title", title)
    _child(head, "style", _STYLE.read_text(encoding="utf-8"))
    main = _child(_child(html, "body"), "main")
    _child(main, "h1", title)
    for section in sections:
        element = _child(main, "section")
        if section.title:
            _child(element, "h2", section.title)
        for block in section.blocks:
            _add(element, block)
    return "<!doctype html>\n" + ET.tostring(html, encoding="unicode", method="html") + "\n"


def _add(parent: ET.Element, block: Block) -> None:
    match block:
        case Words():
            _child(parent, "p", block.text, **{"class": "warning" if block.is_warning else "words"})
        case Facts():
            facts = _child(parent, "dl")
            for name, value in block.facts:
                pair = _child(facts, "div")
                _child(pair, "dt", name)
                _child(pair, "dd", value)
        case Pictures():
            pictures = _child(parent, "div", **{"class": "pictures"})
            for caption, content in block.pictures:
                figure = _child(pictures, "figure")
                uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
                _child(figure, "img", src=uri, alt=caption)
                _child(figure, "figcaption", caption)
        case Tokens():
            _add_tokens(parent, block)
        case Bars():
            _add_bars(parent, block)


def _add_tokens(parent: ET.Element, block: Tokens) -> None:
    _child(parent, "h3", block.caption)
    text = _child(parent, "p", **{"class": "tokens"})
    for token, share in zip(block.tokens, _shares(block.values), strict=True):
        side = "against" if share < 0 else "for"
        told = f"{token}: {share:+.2f} of the largest"
        span = _child(text, "span", token, title=told, style=_colour(side, abs(share)))
        span.tail = " "
    _child(parent, "p", LEGEND, **{"class": "note"})


def _add_bars(parent: ET.Element, block: Bars) -> None:
    wide = _child(parent, "div", **{"class": "wide"})
    table = _child(wide, "table")
    _child(table, "caption", block.caption)
    header = _child(_child(table, "thead"), "tr")
    for name in (*block.header, ""):
        _child(header, "th", name, scope="col")
    body = _child(table, "tbody")
    for (cells, _), share in zip(block.rows, _shares([v for _, v in block.rows]), strict=True):
        row = _child(body, "tr")
        _child(row, "th", cells[0], scope="row")
        for cell in cells[1:]:
            _child(row, "td", cell)
        track = _child(_child(row, "td", **{"class": "bar"}), "div")
        left = 50 * (1 + min(share, 0))
        side = "against" if share < 0 else "for"
        place = (
            f"margin-left: {left:.1f}%; width: {50 * abs(share):.1f}%; background: var(--{side})"
        )
        _child(track, "div", style=place)


def _colour(side: str, share: float) -> str:
    return f"background: color-mix(in srgb, var(--{side}) {60 * share:.0f}%, transparent)"


def _shares(values: Sequence[float]) -> list[float]:
    """−1 to 1 of the largest; what is not finite has no colour."""
    finite = [value if abs(value) < float("inf") else 0.0 for value in values]
    largest = max(map(abs, finite), default=0.0) or 1.0
    return [value / largest for value in finite]


def _child(parent: ET.Element, tag: str, text: str = "", /, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = _printable(text)
    for name, value in attributes.items():
        element.set(name, _printable(value))
    return element


def _printable(text: str) -> str:
    """With what cannot be seen escaped: controls, half surrogates, what turns the direction."""
    return "".join(c if c.isprintable() or c in "\n\u200d" else ascii(c)[1:-1] for c in text)
