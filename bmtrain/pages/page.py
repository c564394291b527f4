"""A page as one HTML file that needs no other, no network and no script."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from bmtrain.pages.content import Chart, Page
from bmtrain.pages.drawing import drawn
from bmtrain.pages.signs import printable

#: Up to a sign that joins words, and no longer than a narrow column is wide.
_SHORT: Final = 16
_PIECES: Final = re.compile(r"\s+|[^\s./_=×]{0,24}[./_=×]|[^\s./_=×]{1,24}")
_TEMPLATES: Final = Path(__file__).parent / "templates"


def html(page: Page) -> str:
    """The HTML. What comes from the page is escaped; nothing else than our script can run.

    The policy in its head names the script by its sha256 and forbids every address: a name
    that were not escaped could still neither run nor load anything.
    """
    from markupsafe import Markup

    script, style = _text("script.js"), _text("style.css")

    def svg(chart: Chart) -> Any:
        return Markup(drawn(chart))  # noqa: S704  # written by ElementTree, which escapes

    template = _environment().get_template("page.html")
    text: str = template.render(
        page=page,
        svg=svg,
        script=Markup(script),  # noqa: S704  # our own files
        style=Markup(style),  # noqa: S704
        script_hash=_hash(script),
        style_hash=_hash(style),
    )
    return text


@cache  # Jinja compiles and executes our templates once
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters["breakable"] = breakable
    return environment


def breakable(text: str) -> Any:
    """Escaped, with places where a line may end: behind signs that join words, in long words.

    What is short, a number or a name, stays in one line.
    """
    from markupsafe import Markup, escape

    if len(text) <= _SHORT:
        return escape(printable(text))
    return Markup("<wbr>").join(map(escape, _PIECES.findall(printable(text))))


def _printable(value: Any) -> Any:
    """Whatever a template writes out; what is markup already was made printable before."""
    is_plain = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value) if is_plain else value


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
