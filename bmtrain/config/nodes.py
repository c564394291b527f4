"""The tree between YAML text and the schema: plain values that know their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bmtrain.config.source_text import NOT_PRINTABLE, Place

Value = str | int | float | bool | None
KeyPath = tuple[str | int, ...]

#: A longer text is cut when a message quotes it.
MAX_QUOTED = 60


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A string, number, bool or null; ``text`` is how it was written."""

    value: Value
    text: str
    place: Place

    def shown(self) -> str:
        """As a message quotes it: strings in quotes, all else as it was written."""
        shown = NOT_PRINTABLE.sub("\ufffd", self.text)
        if len(shown) > MAX_QUOTED:
            shown = shown[: MAX_QUOTED - 1] + "…"
        if isinstance(self.value, str):
            return f"'{shown}'"
        return shown or "null"


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    items: tuple[Node, ...]
    place: Place

    def shown(self) -> str:
        """As a message names it."""
        return "a list" if self.items else "an empty list"


@dataclass(frozen=True, slots=True)
class Entry:
    """The value of a key, and where the key stands."""

    key_place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping in its written order.

    ``is_path``: it is a step of an override such as ``model.layers.1.units=64``; where
    it meets a list, its key is a position in it.
    """

    entries: Mapping[str, Entry]
    place: Place
    is_path: bool = False

    def shown(self) -> str:
        """As a message names it."""
        return "a mapping"

    def child(self, key: str) -> Node | None:
        """The value of ``key``, or None if it is absent."""
        entry = self.entries.get(key)
        return entry.value if entry is not None else None

    def with_entry(self, key: str, entry: Entry) -> MappingNode:
        """A copy in which ``key`` has this entry, in its old place or at the end."""
        return MappingNode({**self.entries, key: entry}, self.place, self.is_path)

    def without(self, key: str) -> MappingNode:
        """A copy without ``key``."""
        kept = {name: entry for name, entry in self.entries.items() if name != key}
        return MappingNode(kept, self.place, self.is_path)


Node = ScalarNode | ListNode | MappingNode


def is_null(node: Node | None) -> bool:
    """Whether the key is absent or restores its default."""
    return node is None or (isinstance(node, ScalarNode) and node.value is None)


def to_plain(node: Node) -> Any:
    """The tree as dicts, tuples and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return tuple(to_plain(item) for item in node.items)
    return {key: to_plain(entry.value) for key, entry in node.entries.items()}


def find(root: Node, key: KeyPath) -> tuple[Place, Node | None]:
    """The place that speaks for ``key`` and its node, or the nearest parent's place and None."""
    node: Node = root
    place = root.place
    for part in key:
        if isinstance(node, MappingNode) and str(part) in node.entries:
            entry = node.entries[str(part)]
            node, place = entry.value, entry.key_place
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
        else:
            return place, None
    return place, node
