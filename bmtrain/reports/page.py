"""A report as one HTML file that needs no other, no network and no script."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any, Final

from bmtrain.reports.content import Chart, Report
from bmtrain.reports.drawing import drawn

#: Up to a sign that joins words, and no longer than a narrow column is wide.
_PIECES: Final = re.compile(r"\s+|[^\s./_=×]{0,24}[./_=×]|[^\s./_=×]{1,24}")
_TEMPLATES: Final = Path(__file__).parent / "templates"


def page(report: Report) -> str:
    """The HTML. What comes from the report is escaped; nothing else than our script can run.

    The policy in its head names the script by its sha256 and forbids every address: a name
    that were not escaped could still neither run nor load anything.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    script, style = _text("script.js"), _text("style.css")

    def svg(chart: Chart) -> Any:
        return Markup(drawn(chart))  # noqa: S704  # written by ElementTree, which escapes

    return environment.get_template("page.html").render(
        report=report,
        svg=svg,
        script=Markup(script),  # noqa: S704  # our own files
        style=Markup(style),  # noqa: S704
        script_hash=_hash(script),
        style_hash=_hash(style),
    )


def breakable(text: str) -> Any:
    """Escaped, with places where a line may end: behind signs that join words, in long words."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(map(escape, _PIECES.findall(text)))


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
