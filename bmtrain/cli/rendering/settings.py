"""The resolved config with the place that each value comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from bmtrain.cli.stream import Stream
from bmtrain.cli.typesetting import columns

# A longer setting has its place behind it and not in the column.
_WIDEST_SETTING = 48
_GAP = 2


class Setting(Protocol):
    """A line of the config; see ``bmtrain.config.origin_listing``."""

    @property
    def text(self) -> str:
        """In YAML."""
        ...

    @property
    def key(self) -> str:
        """Dotted; "" where the line sets nothing."""
        ...

    @property
    def value(self) -> Any:
        """Plain data."""
        ...

    @property
    def origin(self) -> str:
        """Where it is written."""
        ...


def show_settings(settings: Sequence[Setting], out: Stream) -> None:
    """Each line with its place as a comment: beside it where that fits, else under it.

    What is shown is YAML, and the config itself.
    """
    widths = [columns(out.printable(setting.text)) for setting in settings if setting.origin]
    start = max((width for width in widths if width <= _WIDEST_SETTING), default=0) + _GAP
    longest = max((columns(_comment(s, out)) for s in settings if s.origin), default=0)
    are_beside = not out.is_terminal or start + longest <= out.width
    for setting in settings:
        text = out.printable(setting.text)
        if not setting.origin:
            out.line(text)
        elif are_beside and (not out.is_terminal or _end(text, start, setting, out) <= out.width):
            gap = " " * max(start - columns(text), _GAP)
            out.line(text, gap, out.paint(_comment(setting, out), "dim"))
        else:
            indent = " " * (len(text) - len(text.lstrip(" -")) + _GAP)
            out.line(text)
            out.line(indent, out.paint(_comment(setting, out), "dim"))


def settings_document(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """``[{"key", "value", "origin"}]``, in the config's order."""
    return [
        {"key": setting.key, "value": setting.value, "origin": setting.origin}
        for setting in settings
        if setting.key
    ]


def _comment(setting: Setting, out: Stream) -> str:
    return f"# {out.printable(setting.origin)}"


def _end(text: str, start: int, setting: Setting, out: Stream) -> int:
    return max(start, columns(text) + _GAP) + columns(_comment(setting, out))
