"""The paths that a config names: relative to the text that they are written in, then absolute."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from bmtrain.config.nodes import Entry, MappingNode, ScalarNode
from bmtrain.config.sections.data import TABLE_PATH
from bmtrain.config.source_text import SURROGATE, Problem


def beside(directory: Path, written: str) -> Path:
    """The path that ``written`` means in a text of ``directory``; ``~`` is the home directory."""
    # pathlib would raise where there is no such home.
    return without_parents(directory / os.path.expanduser(written))  # noqa: PTH111


def without_parents(path: Path) -> Path:
    """The path without ``..``, as the file system takes it: the parent of what a link leads to.

    Links behind the last ``..`` are kept.
    """
    if ".." not in path.parts:
        return path
    last = len(path.parts) - path.parts[::-1].index("..")
    return Path(os.path.realpath(Path(*path.parts[:last])), *path.parts[last:])


def resolved_paths(root: MappingNode, problems: list[Problem]) -> MappingNode:
    """``root`` in which ``data.source`` and files of ``data.splits`` are absolute if they are paths.

    A relative one starts at the directory of the text that it is written in; ``~`` is
    the home directory; a bare word names a bundled set and stays. ``problems`` takes a
    path that no file could name.
    """
    for key, is_one in _PATHS.items():
        root = _with_absolute(root, key, (), is_one, problems)
    return root


def _with_absolute(
    node: MappingNode,
    key: tuple[str, ...],
    at: tuple[str, ...],
    is_one: Callable[[str], object],
    problems: list[Problem],
) -> MappingNode:
    """``node``, which stands at ``at``, in which the path at ``key`` below it is absolute."""
    entry = node.entries.get(key[0])
    if entry is None:
        return node
    value, at = entry.value, (*at, key[0])
    if isinstance(value, MappingNode) and key[1:]:
        value = _with_absolute(value, key[1:], at, is_one, problems)
    elif isinstance(value, ScalarNode) and not key[1:]:
        value = _absolute(value, at, is_one, problems)
    return node.with_entry(key[0], Entry(entry.key_place, value))


def _absolute(
    node: ScalarNode,
    key: tuple[str, ...],
    is_one: Callable[[str], object],
    problems: list[Problem],
) -> ScalarNode:
    value = node.value
    if not isinstance(value, str) or "\0" in value or not is_one(value):
        return node
    absolute = str(beside(node.place.source.directory.absolute(), value))
    if SURROGATE.search(absolute):
        message = "the path that it stands for is not in UTF-8; rename its directories"
        problems.append(Problem(node.place, message, key))
        return node
    return replace(node, value=absolute)


def is_path(source: str) -> bool:
    """Whether a ``data.source`` is a path, not a bundled set's name."""
    return "\0" not in source and any(mark in source for mark in "/\\.")


#: The settings that are paths, and which of their texts are.
_PATHS: Mapping[tuple[str, ...], Callable[[str], object]] = {
    ("data", "source"): is_path,
    ("data", "splits", "validation"): re.compile(TABLE_PATH).search,
    ("data", "splits", "test"): re.compile(TABLE_PATH).search,
}
