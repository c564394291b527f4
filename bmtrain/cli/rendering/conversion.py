"""What convert shows: the files, and how they are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.figures import amount


def show_conversion(document: Mapping[str, Any], screen: Screen) -> None:
    """A line per file; under --quiet nothing."""
    if screen.is_json:
        screen.out.line(json_text(document))
        return
    if screen.quiet:
        return
    out = screen.out
    out.hanging(out.paint(f"{'source':<10}", "dim"), 10, str(document["source"]))
    for name, facts in document["files"].items():
        out.hanging(out.paint(f"{'file':<10}", "dim"), 10, f"{name}, {amount(facts['bytes'], 'B')}")
    out.hanging(out.paint(f"{'next':<10}", "dim"), 10, f"data.source: {document['output']}")
