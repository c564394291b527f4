"""YAML text to a tree of nodes with marks; problems are collected, nothing crashes.

The parser's events are streamed and the tree is built here, because PyYAML's own
composer recurses in C (100,000 nested brackets end the process), keeps the last
of duplicate keys without a word, and expands aliases without a bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bmtrain.config.nodes import Entry, KeyPath, ListNode, MappingNode, Node, ScalarNode
from bmtrain.config.source_text import (
    LINE_BREAK,
    MAX_PROBLEMS,
    NOT_PRINTABLE,
    Place,
    Problem,
    SourceText,
)
from bmtrain.config.yaml_marks import Marks
from bmtrain.config.yaml_scalars import OutOfRange, resolve_plain
from bmtrain.config.yaml_wording import shown_tag, syntax_message

#: Nested collections, aliases followed.
MAX_DEPTH = 100
#: Scalars and collections, an aliased one counted as often as it is used.
MAX_VALUES = 50_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """The rest cannot be read; the problem is on the list."""


def read_yaml(
    text: str,
    source: SourceText,
    *,
    column_offset: int = 0,
    key: KeyPath = (),
) -> tuple[Node | None, list[Problem]]:
    """The tree of the one document in ``text``, and everything wrong with it.

    The tree is None where reading had to stop; an empty document is a null scalar.
    Merge keys (``<<``), tags and keys that are not plain texts are problems.

    Args:
        text: a YAML document; a byte-order mark before it is fine.
        source: what the marks are about.
        column_offset: added to columns of the first line (the value of an override).
        key: the config key that the value belongs to.
    """
    reader = _Reader(text, source, column_offset)
    try:
        return reader.document(key), reader.problems
    except _Stop:
        return None, reader.problems


class _Reader:
    def __init__(self, text: str, source: SourceText, column_offset: int) -> None:
        self.problems: list[Problem] = []
        self._text = text.removeprefix("\ufeff")
        self._marks = Marks(source, column_offset)
        self._events: Iterator[Event] = iter(())
        self._num_values = 0
        # name -> (node, number of values, height); None while it is being read.
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}

    def document(self, key: KeyPath) -> Node:
        self._refuse_unprintable()
        self._events = yaml.parse(self._text, Loader=_LOADER)
        self._next()  # stream start
        event = self._next()
        if isinstance(event, StreamEndEvent):
            return ScalarNode(None, "", self._marks.whole)
        node, _ = self._node(self._next(), key, 1)
        event = self._next()
        while isinstance(event, DocumentEndEvent):
            event = self._next()
        if isinstance(event, DocumentStartEvent):
            raise self._stop(self._marks.of(event), "a second document starts here; expected one")
        return node

    def _refuse_unprintable(self) -> None:
        found = NOT_PRINTABLE.search(self._text)
        if found is None:
            return
        before = LINE_BREAK.split(self._text[: found.start()])
        place = self._marks.at(len(before) - 1, len(before[-1]))
        code = ord(found.group())
        raise self._stop(place, f"the character U+{code:04X} is not allowed in YAML")

    def _next(self) -> Event:
        try:
            return next(self._events)
        except yaml.YAMLError as error:
            raise self._syntax_error(error) from None

    def _syntax_error(self, error: yaml.YAMLError) -> _Stop:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        at = self._marks.at(mark.line, mark.column) if mark is not None else self._marks.whole
        return self._stop(self._marks.within(at), syntax_message(error))

    def _stop(self, place: Place, message: str, key: KeyPath = ()) -> _Stop:
        self.problems.append(Problem(place, message, key))
        return _Stop()

    def _report(self, place: Place, message: str, key: KeyPath) -> None:
        """Note a problem after which reading goes on, unless it was one too many."""
        if len(self.problems) == MAX_PROBLEMS:
            raise self._stop(place, f"more than {MAX_PROBLEMS} errors; the rest was not read")
        self.problems.append(Problem(place, message, key))

    def _node(self, event: Event, key: KeyPath, depth: int) -> tuple[Node, int]:
        """The node that starts with ``event``, and its height (1 for a scalar)."""
        if isinstance(event, AliasEvent):
            return self._alias(event, key, depth)
        assert isinstance(event, NodeEvent)
        self._count(1, event, key)
        if depth > MAX_DEPTH:
            raise self._stop(self._marks.of(event), f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, ScalarEvent) and event.tag is None and event.anchor is None:
            return self._scalar(event, key), 1  # nearly always
        if getattr(event, "tag", None) is not None:
            message = f"the tag {shown_tag(event)} is not allowed; write a plain value"
            self._report(self._marks.of(event), message, key)
        before = self._num_values - 1
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node, height = self._content(event, key, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._num_values - before, height)
        return node, height

    def _content(self, event: NodeEvent, key: KeyPath, depth: int) -> tuple[Node, int]:
        if isinstance(event, SequenceStartEvent):
            return self._list(event, key, depth)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, key, depth)
        assert isinstance(event, ScalarEvent)
        return self._scalar(event, key), 1

    def _alias(self, event: AliasEvent, key: KeyPath, depth: int) -> tuple[Node, int]:
        name = event.anchor
        if name not in self._anchors:
            raise self._stop(
                self._marks.of(event), f"the alias *{name} has no anchor before it", key
            )
        anchored = self._anchors[name]
        if anchored is None:
            raise self._stop(self._marks.of(event), f"the alias *{name} is inside of itself", key)
        node, num_values, height = anchored
        self._count(num_values, event, key)
        if depth + height - 1 > MAX_DEPTH:
            raise self._stop(self._marks.of(event), f"nested deeper than {MAX_DEPTH} levels", key)
        return node, height

    def _count(self, num_values: int, event: Event, key: KeyPath) -> None:
        self._num_values += num_values
        if self._num_values > MAX_VALUES:
            message = f"more than {MAX_VALUES} values, aliases counted as often as they are used"
            raise self._stop(self._marks.of(event), message, key)

    def _scalar(self, event: ScalarEvent, key: KeyPath) -> ScalarNode:
        place = self._marks.of(event)
        if not event.implicit[0]:
            return ScalarNode(event.value, event.value, place)
        try:
            return ScalarNode(resolve_plain(event.value), event.value, place)
        except OutOfRange:
            message = f"an integer of {len(event.value)} characters is out of range (64 bits)"
            self._report(place, message, key)
            return ScalarNode(0, event.value, place)

    def _list(self, event: Event, key: KeyPath, depth: int) -> tuple[ListNode, int]:
        items: list[Node] = []
        height = 0
        while not isinstance(end := self._next(), SequenceEndEvent):
            item, item_height = self._node(end, (*key, len(items)), depth + 1)
            items.append(item)
            height = max(height, item_height)
        return ListNode(tuple(items), self._marks.of(event, _flow_end(event, end))), height + 1

    def _mapping(self, event: Event, key: KeyPath, depth: int) -> tuple[MappingNode, int]:
        entries: dict[str, Entry] = {}
        height = 0
        first: Place | None = None
        while not isinstance(end := self._next(), MappingEndEvent):
            name, key_place = self._key(end, key, depth, entries)
            first = first or key_place
            value, value_height = self._node(self._next(), (*key, name or "?"), depth + 1)
            height = max(height, value_height)
            if name is not None and name not in entries:
                entries[name] = Entry(key_place, value)
        flow_end = _flow_end(event, end)
        place = self._marks.of(event, flow_end) if flow_end else first or self._marks.of(event)
        return MappingNode(entries, place), height + 1

    def _key(
        self, event: Event, key: KeyPath, depth: int, entries: dict[str, Entry]
    ) -> tuple[str | None, Place]:
        """The key that starts with ``event``, or None where it cannot be used; and its place."""
        node, _ = self._node(event, key, depth + 1)
        if not isinstance(event, ScalarEvent) or not isinstance(node, ScalarNode):
            place = self._marks.of(event)
            self._report(place, "a key must be a plain text", key)
            return None, place
        place = node.place
        name = event.value
        if name == "<<" and event.implicit[0]:
            message = "merge keys (<<) are not supported; write the keys out or use 'extends'"
            self._report(place, message, key)
            return None, place
        if name in entries:
            line = entries[name].key_place.line
            message = f"duplicate key; it is already given on line {line}"
            self._report(place, message, (*key, name))
        return name, place


def _flow_end(start: Event, end: Event) -> Event | None:
    """``end`` if the collection is written in brackets: then its extent is known."""
    return end if getattr(start, "flow_style", False) else None
