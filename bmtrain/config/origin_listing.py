"""Every setting of a resolved config with the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bmtrain.config.load import LoadedConfig
from bmtrain.config.nodes import KeyPath, ListNode, Node, find, is_null
from bmtrain.config.resolved import flow_text, plain
from bmtrain.config.source_text import dotted

DEFAULT = "default"
# A list whose items are from many places names the first ones.
_MAX_PLACES = 3


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One line of the resolved config in YAML: a setting, or a key that only opens others.

    Attributes:
        text: the line; all lines together are the config.
        key: dotted; "" where the line sets nothing.
        value: plain data.
        origin: ``configs/mine.yaml:7``, ``override 2`` or ``default``; "" without a key.
    """

    text: str
    key: str = ""
    value: Any = None
    origin: str = ""


def listed_with_origins(loaded: LoadedConfig) -> tuple[SettingLine, ...]:
    """The resolved config, line by line; an item of a list of mappings has a line per key."""
    return tuple(_lines(plain(loaded.experiment), (), "", loaded.origins.root))


def set_keys(loaded: LoadedConfig) -> dict[str, str]:
    """Dotted key -> where it was set, of all that is not left to its default."""
    return {
        line.key: line.origin
        for line in listed_with_origins(loaded)
        if line.key and line.origin != DEFAULT
    }


def _lines(mapping: dict[str, Any], at: KeyPath, lead: str, root: Node) -> Iterator[SettingLine]:
    """``lead`` is what stands before the first key: blanks, or ``- `` behind them."""
    blanks = " " * len(lead)
    for name, value in mapping.items():
        key = (*at, name)
        if isinstance(value, dict) and value:
            yield SettingLine(f"{lead}{name}:")
            yield from _lines(value, key, f"{blanks}  ", root)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield SettingLine(f"{lead}{name}:")
            for position, item in enumerate(value):
                yield from _lines(item, (*key, position), f"{blanks}  - ", root)
        else:
            text = f"{lead}{name}: {flow_text(value)}"
            yield SettingLine(text, dotted(key), value, _origin(root, key))
        lead = blanks


def _origin(root: Node, key: KeyPath) -> str:
    place, node = find(root, key)
    if node is None or is_null(node):
        return DEFAULT
    if isinstance(node, ListNode) and node.items:
        # An override may have replaced some of them.
        places = list(dict.fromkeys(item.place.where for item in node.items))
        more = ", …" if len(places) > _MAX_PLACES else ""
        return ", ".join(places[:_MAX_PLACES]) + more
    return (place if isinstance(node, ListNode) else node.place).where
