"""A disk that forgets: what may be on it after the power fails at any instant.

A journal says what each call did to which file or directory (a node, whatever it is
called). POSIX promises only that what was done to a node before an fsync of it survives;
everything later may be lost or come in any order.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

#: All subsets of at most so many unflushed operations are tried, and a sample with halves.
_MAX_EXHAUSTIVE = 4
_SAMPLE = 10


@dataclass(frozen=True)
class Operation:
    """What one call did to a node: ``written`` (offset, bytes), ``length`` it was cut to,
    or ``names`` (name -> node, None: removed) of a directory."""

    node: int
    written: tuple[int, bytes] | None = None
    length: int | None = None
    names: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Flush:
    """An fsync of a node."""

    node: int


@dataclass(frozen=True)
class Promise:
    """From here on, what ``name`` stands for must survive."""

    name: str


Journal = Sequence[Operation | Flush | Promise]
#: Of each node: the bytes of a file, or the names in a directory.
Contents = Mapping[int, bytes | Mapping[str, int]]
Tree = dict[str, "bytes | Tree"]


@dataclass(frozen=True)
class Disk:
    """What was on it before the journal.

    ``directories`` are those nodes that are not files, ``top`` the root; of the files ``not_looked_at`` the content is taken
    to be there: it is promised to nobody.
    """

    contents: Contents
    directories: Collection[int]
    top: int
    not_looked_at: Collection[int]

    def states(self, past: Journal, *, seed: int) -> Iterator[Tree]:
        """The trees that may be there after the calls in ``past``.

        The first is what is there if the process was killed and the system went on; the
        others may be found when the power failed.
        """
        operations = [(i, e) for i, e in enumerate(past) if isinstance(e, Operation)]
        yield self._tree([entry for _, entry in operations])
        flushed = {entry.node: i for i, entry in enumerate(past) if isinstance(entry, Flush)}
        pending = [
            i
            for i, entry in operations
            if i > flushed.get(entry.node, -1) and entry.node not in self.not_looked_at
        ]
        for choice in _choices(len(pending), seed):
            share = dict(zip(pending, choice, strict=True))
            kept = [_part(entry, share.get(i, 1.0)) for i, entry in operations]
            yield self._tree([entry for entry in kept if entry is not None])

    def _tree(self, operations: Sequence[Operation]) -> Tree:
        files = {n: bytearray(c) for n, c in self.contents.items() if isinstance(c, bytes)}
        names: dict[int, dict[str, int | None]] = {n: {} for n in self.directories}
        for node, known in self.contents.items():
            if not isinstance(known, bytes):
                names[node].update(known)
        for entry in operations:
            if entry.names:
                names[entry.node].update(entry.names)
            content = files.setdefault(entry.node, bytearray())
            if entry.length is not None:
                del content[entry.length :]
                content.extend(bytes(entry.length - len(content)))
            if entry.written is not None:
                at, new = entry.written
                content.extend(bytes(max(0, at - len(content))))  # what was lost before it: zeros
                content[at : at + len(new)] = new
        return _subtree(self.top, names, files)


def _subtree(
    node: int, names: Mapping[int, Mapping[str, int | None]], files: Mapping[int, bytearray]
) -> Tree:
    tree: Tree = {}
    for name, child in names[node].items():
        if child is not None:
            tree[name] = (
                _subtree(child, names, files) if child in names else bytes(files.get(child, b""))
            )
    return tree


def _choices(num_pending: int, seed: int) -> Iterator[tuple[float, ...]]:
    """How much of each unflushed operation is on the disk: 0, ½ or 1."""
    if num_pending <= _MAX_EXHAUSTIVE:
        yield from product((0.0, 1.0), repeat=num_pending)
    chosen = random.Random(seed)
    for _ in range(_SAMPLE if num_pending else 0):
        yield tuple(chosen.choice((0.0, 0.5, 1.0)) for _ in range(num_pending))


def _part(entry: Operation, share: float) -> Operation | None:
    """Half a write is its first half; a name is there or not."""
    if share == 1 or (share > 0 and entry.written is None):
        return entry
    if share == 0 or entry.written is None:
        return None
    at, content = entry.written
    return Operation(entry.node, written=(at, content[: len(content) // 2]))


def make_tree(tree: Tree, path: Path) -> None:
    """The tree as real files."""
    path.mkdir()
    for name, content in tree.items():
        if isinstance(content, bytes):
            (path / name).write_bytes(content)
        else:
            make_tree(content, path / name)


def read_tree(path: Path) -> Tree:
    """Real files as a tree."""
    return {
        entry.name: read_tree(entry) if entry.is_dir() else entry.read_bytes()
        for entry in path.iterdir()
    }
