"""What a misspelt config most likely means.

A guess decides nothing but what else is told in the same go: what stands under
``trainig``, or beside ``name: Adam``, is checked as if it were spelt right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

from bmtrain.config.nodes import (
    Entry,
    KeyPath,
    ListNode,
    MappingNode,
    Node,
    ScalarNode,
    find,
    is_null,
)
from bmtrain.config.suggestions import nearest


@dataclass(frozen=True, slots=True)
class Guess:
    """A key, or the text that is a key's value, stands for ``meant``.

    Attributes:
        key: what is misspelt; its value, unless ``is_key``.
        meant: the only name that is near.
        is_key: the last part of ``key`` is misspelt itself.
    """

    key: KeyPath
    meant: str
    is_key: bool = False

    @property
    def meant_key(self) -> KeyPath:
        """``key`` as it is meant."""
        return (*self.key[:-1], self.meant) if self.is_key else self.key

    def fits(self, root: Node) -> bool:
        """Whether it can be so: the key that is meant must not be given already."""
        return not self.is_key or is_null(find(root, self.meant_key)[1])


def guessed(
    key: KeyPath, written: str, choices: Iterable[str], *, is_key: bool = False
) -> Guess | None:
    """The guess that ``written`` stands for a choice, if exactly one is near."""
    meant = nearest(written, choices)
    return Guess(key, meant[0], is_key) if len(meant) == 1 else None


def as_meant(root: Node, guesses: Iterable[Guess]) -> Node:
    """``root`` with what is meant in the place of what is written; places stay."""
    for guess in guesses:
        if not guess.is_key:
            root = _changed(root, guess.key, partial(_named, guess.meant))
        elif guess.fits(root):
            rename = partial(_renamed, str(guess.key[-1]), guess.meant)
            root = _changed(root, guess.key[:-1], rename)
    return root


def _changed(node: Node, key: KeyPath, change: Callable[[Node], Node]) -> Node:
    if not key:
        return change(node)
    part, rest = key[0], key[1:]
    if isinstance(node, ListNode):
        items = [
            _changed(item, rest, change) if index == part else item
            for index, item in enumerate(node.items)
        ]
        return replace(node, items=tuple(items))
    assert isinstance(node, MappingNode)
    entry = node.entries[str(part)]
    return node.with_entry(str(part), Entry(entry.key_place, _changed(entry.value, rest, change)))


def _named(meant: str, node: Node) -> Node:
    return ScalarNode(meant, meant, node.place)


def _renamed(old: str, new: str, node: Node) -> Node:
    assert isinstance(node, MappingNode)
    entries = {
        new if name == old else name: entry for name, entry in node.entries.items() if name != new
    }
    return replace(node, entries=entries)
