"""How one config is laid over another: an extension over its base, overrides over a file.

- mappings merge, key by key;
- lists and scalars replace;
- a mapping whose ``name`` or ``type`` changes replaces the whole mapping (no stale
  ``beta_1``), except the experiment itself, whose name is only a name;
- null stands until the end and then restores the default.
"""

from __future__ import annotations

from bmtrain.config.nodes import Entry, KeyPath, ListNode, MappingNode, Node, ScalarNode
from bmtrain.config.source_text import Problem

#: Keys that say which options the rest of their mapping are.
SELECTORS = ("name", "type")

_EMPTY = "a position in a list, and it is empty"


def merge(base: Node, over: Node, problems: list[Problem], key: KeyPath = ()) -> Node:
    """``over`` laid over ``base``.

    Args:
        base: what stands so far.
        over: what is laid over it.
        problems: takes the positions that a list does not have.
        key: the config key of both; () is the experiment itself.
    """
    if not isinstance(over, MappingNode):
        return over
    if over.is_path and isinstance(base, ListNode):
        return _patch(base, over, problems, key)
    if not isinstance(base, MappingNode) or (key and _selects_another(base, over)):
        return over
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        below = base.entries.get(name)
        entries[name] = (
            entry if below is None else _merged_entry(below, entry, problems, (*key, name))
        )
    return MappingNode(entries, base.place if over.is_path else over.place)


def _merged_entry(base: Entry, over: Entry, problems: list[Problem], key: KeyPath) -> Entry:
    is_step = (
        isinstance(over.value, MappingNode)
        and over.value.is_path
        and not isinstance(base.value, ScalarNode)
    )
    # A step on the way to an overridden key says nothing about the step's own place.
    key_place = base.key_place if is_step else over.key_place
    return Entry(key_place, merge(base.value, over.value, problems, key))


def _selects_another(base: MappingNode, over: MappingNode) -> bool:
    for selector in SELECTORS:
        new, old = over.child(selector), base.child(selector)
        if isinstance(new, ScalarNode) and isinstance(old, ScalarNode) and new.value != old.value:
            return True
    return False


def _patch(base: ListNode, over: MappingNode, problems: list[Problem], key: KeyPath) -> ListNode:
    items = list(base.items)
    for name, entry in over.entries.items():
        if name.isdecimal() and int(name) < len(items):
            position = int(name)
            items[position] = merge(items[position], entry.value, problems, (*key, position))
        else:
            expected = f"a position from 0 to {len(items) - 1}" if items else _EMPTY
            message = f"expected {expected}, got '{name}'"
            problems.append(Problem(entry.key_place, message, (*key, name)))
    return ListNode(tuple(items), base.place)
