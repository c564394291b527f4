"""Null restores a default: it takes a key away that the schema knows, and no other."""

from __future__ import annotations

from dataclasses import replace

from bmtrain.config.kinds import Kind
from bmtrain.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, is_null
from bmtrain.config.sections.base import Section


def without_restored(node: Node, kind: Kind | None) -> Node:
    """``node`` without the keys that are null and known; ``kind`` is what the schema expects there.

    A null anywhere else stays and is an error: a misspelt key does not go unnoticed because
    it has no value, and a list has no defaults.
    """
    if kind is None:
        return node
    if isinstance(node, ListNode):
        item = kind.item
        return replace(node, items=tuple(without_restored(each, item) for each in node.items))
    section = _section(node, kind) if isinstance(node, MappingNode) else None
    if section is None or not isinstance(node, MappingNode):
        return node
    entries = {
        name: Entry(entry.key_place, without_restored(entry.value, Kind.of_field(section, name)))
        for name, entry in node.entries.items()
        if not (is_null(entry.value) and name in section.model_fields)
    }
    return replace(node, entries=entries)


def _section(node: MappingNode, kind: Kind) -> type[Section] | None:
    """The section that a mapping is, as far as its ``name`` or ``type`` says."""
    if kind.discriminator is not None:
        selector = node.child(kind.discriminator)
        chosen = selector.value if isinstance(selector, ScalarNode) else None
        return kind.sections_by_selector().get(chosen) if isinstance(chosen, str) else None
    union = next((branch for branch in kind.branches if branch.discriminator is not None), None)
    if union is not None:
        return _section(node, union)
    return next((b.section for b in kind.branches if b.section is not None), kind.section)
