"""From a config key back to the place where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bmtrain.config.nodes import KeyPath, Node, ScalarNode, find
from bmtrain.config.source_text import Place
from bmtrain.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class Origins:
    """Where each setting of a loaded config comes from: a file, an override, an expectation."""

    root: Node

    def place(self, key: KeyPath) -> Place:
        """The value's place for a scalar, the key's for a collection; else the nearest parent's.

        A list item is its own place. Line 0 means the config as a whole.
        """
        return place_of(self.root, key)

    def diagnostic(
        self,
        key: KeyPath,
        message: str,
        *,
        severity: Literal["error", "warning"] = "error",
    ) -> Diagnostic:
        """A diagnostic about ``key`` with file, line, column and the line's text."""
        return self.place(key).diagnostic(message, key=key, severity=severity)


def place_of(root: Node, key: KeyPath) -> Place:
    """See :meth:`Origins.place`."""
    key_place, node = find(root, key)
    if isinstance(node, ScalarNode):
        return node.place
    if not key or find(root, key[:1])[1] is None:
        # The whole config has no line of its own; its first key would mislead.
        return Place(root.place.source)
    return key_place
