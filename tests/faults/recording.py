"""Watches real calls of ``os`` below a directory, and keeps the journal of what they did."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.faults.power import Disk, Flush, Operation, Promise, Tree

_NOT_LOOKED_AT = {".lock", "log.txt"}


class Recording:
    """The journal of what is done below ``root``, whose present content is on the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal: list[Operation | Flush | Promise] = []
        self._next = count()
        self._names: dict[int, dict[str, int]] = {}  # of directories, as they are now
        self._initial: dict[int, bytes | dict[str, int]] = {}
        self._descriptors: dict[int, int] = {}
        self._not_looked_at: set[int] = set()
        self._top = self._load(root)

    def promise(self, name: str) -> None:
        """Notes that a call returned that promises something."""
        self.journal.append(Promise(name))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Real calls are made, and noted, inside."""
        with pytest.MonkeyPatch.context() as patch:
            for name in ("open", "close", "write", "pwrite", "ftruncate", "fsync", "mkdir"):
                patch.setattr(os, name, self._watched(name, getattr(self, f"_{name}")))
            for name in ("rename", "replace"):
                patch.setattr(os, name, self._watched(name, self._rename))
            for name in ("unlink", "rmdir"):
                patch.setattr(os, name, self._watched(name, self._remove))
            yield

    def _watched(self, name: str, note: Callable[..., None]) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = None if name == "fsync" else real(*args, **kwargs)
            note(result, *args, **kwargs)
            return result

        return call

    def _open(self, result: int, path: Any, flags: int, *_: Any, dir_fd: int | None = None) -> None:
        place = self._place(path, dir_fd)
        if place is None:
            return
        parent, name = place
        node = self._top if name == "." else self._names[parent].get(name)
        if node is None:
            assert flags & os.O_CREAT, path
            node = self._note_new(parent, name)
        self._descriptors[result] = node
        if name in _NOT_LOOKED_AT:
            self._not_looked_at.add(node)

    def _close(self, _result: None, descriptor: int) -> None:
        self._descriptors.pop(descriptor, None)

    def _write(self, result: int, descriptor: int, content: Any) -> None:
        if descriptor in self._descriptors:
            at = os.fstat(descriptor).st_size - result  # every writer here writes at the end
            written = (at, bytes(content[:result]))
            self.journal.append(Operation(self._descriptors[descriptor], written=written))

    def _pwrite(self, result: int, descriptor: int, content: Any, offset: int) -> None:
        if descriptor in self._descriptors:
            written = (offset, bytes(content[:result]))
            self.journal.append(Operation(self._descriptors[descriptor], written=written))

    def _ftruncate(self, _result: None, descriptor: int, length: int) -> None:
        if descriptor in self._descriptors:
            self.journal.append(Operation(self._descriptors[descriptor], length=length))

    def _fsync(self, _result: None, descriptor: int) -> None:
        if descriptor in self._descriptors:
            self.journal.append(Flush(self._descriptors[descriptor]))

    def _mkdir(self, _result: None, path: Any, *_: Any, dir_fd: int | None = None) -> None:
        if (place := self._place(path, dir_fd)) is not None:
            self._names[self._note_new(*place)] = {}

    def _rename(self, _result: None, source: Any, target: Any) -> None:
        old, new = self._place(source, None), self._place(target, None)
        if old is None or new is None:
            return
        assert old[0] == new[0], "a rename between directories is two operations"
        names = self._names[old[0]]
        names[new[1]] = names.pop(old[1])
        self.journal.append(Operation(old[0], names={old[1]: None, new[1]: names[new[1]]}))

    def _remove(self, _result: None, path: Any, *, dir_fd: int | None = None) -> None:
        if (place := self._place(path, dir_fd)) is not None:
            parent, name = place
            del self._names[parent][name]
            self.journal.append(Operation(parent, names={name: None}))

    def _note_new(self, parent: int, name: str) -> int:
        node = next(self._next)
        self._names[parent][name] = node
        self.journal.append(Operation(parent, names={name: node}))
        return node

    def _place(self, path: Any, dir_fd: int | None) -> tuple[int, str] | None:
        """(node of the directory, name in it); None for what is not below the root."""
        if dir_fd is not None:
            return (self._descriptors[dir_fd], os.fspath(path))
        full = Path(path)
        if full == self.root:
            return self._top, "."
        if self.root not in full.parents:
            return None
        node = self._top
        for part in full.relative_to(self.root).parts[:-1]:
            node = self._names[node][part]
        return node, full.name

    def _load(self, path: Path) -> int:
        node = next(self._next)
        if path.is_dir():
            self._names[node] = {entry.name: self._load(entry) for entry in path.iterdir()}
            self._initial[node] = dict(self._names[node])
        else:
            self._initial[node] = path.read_bytes()
        return node

    def states(self, num_calls: int) -> Iterator[Tree]:
        """The trees that may be there after the first ``num_calls`` entries of the journal."""
        disk = Disk(self._initial, self._names.keys(), self._top, self._not_looked_at)
        return disk.states(self.journal[:num_calls], seed=num_calls)
