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

#: The path that a text ends with, if it has one.
PathIn = Callable[[str], str | None]


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
    """``root`` in which all that are paths are absolute: ``data.source``, files, a database's.

    A relative one starts at the directory of the text that it is written in; ``~`` is
    the home directory; a bare word names a bundled set and stays. ``problems`` takes a
    path that no file could name.
    """
    for key, path_in in _PATHS.items():
        root = _with_absolute(root, key, (), path_in, problems)
    return root


def _with_absolute(
    node: MappingNode,
    key: tuple[str, ...],
    at: tuple[str, ...],
    path_in: PathIn,
    problems: list[Problem],
) -> MappingNode:
    """``node``, which stands at ``at``, in which the path at ``key`` below it is absolute."""
    entry = node.entries.get(key[0])
    if entry is None:
        return node
    value, at = entry.value, (*at, key[0])
    if isinstance(value, MappingNode) and key[1:]:
        value = _with_absolute(value, key[1:], at, path_in, problems)
    elif isinstance(value, ScalarNode) and not key[1:]:
        value = _absolute(value, at, path_in, problems)
    return node.with_entry(key[0], Entry(entry.key_place, value))


def _absolute(
    node: ScalarNode,
    key: tuple[str, ...],
    path_in: PathIn,
    problems: list[Problem],
) -> ScalarNode:
    value = node.value
    if not isinstance(value, str) or "\0" in value or (path := path_in(value)) is None:
        return node
    absolute = str(beside(node.place.source.directory.absolute(), path))
    if SURROGATE.search(absolute):
        message = "the path that it stands for is not in UTF-8; rename its directories"
        problems.append(Problem(node.place, message, key))
        return node
    return replace(node, value=f"{value.removesuffix(path)}{absolute}")


def is_path(source: str) -> bool:
    """Whether a ``data.source`` is a path, not a bundled set's name."""
    return "\0" not in source and any(mark in source for mark in "/\\.")


def _source(text: str) -> str | None:
    return text if is_path(text) else None


def _table(text: str) -> str | None:
    return text if re.search(TABLE_PATH, text) else None


def _database(text: str) -> str | None:
    """The file of a SQLite database, as SQLAlchemy writes it: after the third slash."""
    scheme, mark, path = text.partition(":///")
    return path if scheme == "sqlite" and mark and path else None


#: The settings that have paths, and what of their texts, at the end, is one.
_PATHS: Mapping[tuple[str, ...], PathIn] = {
    ("data", "source"): _source,
    ("data", "splits", "validation"): _table,
    ("data", "splits", "test"): _table,
    ("track", "mlflow"): _database,
    ("track", "mlflow", "uri"): _database,
}
