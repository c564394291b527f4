"""What ``report`` shows: where the file is, and the verdict about several runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bmtrain.cli.console import Screen
from bmtrain.cli.rendering.documents import json_text
from bmtrain.figures import amount


def show_report(document: Mapping[str, Any], screen: Screen) -> None:
    """Show it; ``document`` is what ``report --json`` prints."""
    for text in document["skipped"]:
        screen.warn(text)
    if screen.is_json:
        screen.out.line(json_text(document))
        return
    for text in document["verdict"]:
        screen.out.paragraph(text)
    start = f"{document['kind']}  "
    size = amount(document["bytes"], "B")
    screen.out.hanging(screen.out.paint(start, "dim"), len(start), f"{document['report']}, {size}")
