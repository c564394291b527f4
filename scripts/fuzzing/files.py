"""An input of the fuzzer: one or several small files, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

#: Content by name; names are plain, there are no folders in folders.
Files = Mapping[str, bytes]

#: Of all files of one input together. Within it, a second and 100 MB are plenty.
MAX_BYTES = 60_000


def fitted(files: Files) -> dict[str, bytes]:
    """The files, cut off so that together they are small."""
    left = MAX_BYTES
    kept = {}
    for name, content in files.items():
        kept[name] = content[:left]
        left -= len(kept[name])
    return kept


def num_bytes(files: Files) -> int:
    """Of all files together."""
    return sum(map(len, files.values()))


def digest(files: Files) -> str:
    """A short name for this input."""
    hashed = hashlib.sha256()
    for name, content in sorted(files.items()):
        hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()[:8]


def write_files(files: Files, directory: Path) -> None:
    """Make ``directory`` hold these files and nothing else."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in {file.name for file in directory.iterdir()} - files.keys():
        (directory / name).unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content)


def read_files(path: Path, main: str) -> dict[str, bytes]:
    """A directory's files, or a single one under the name ``main``."""
    if not path.is_dir():
        return {main: path.read_bytes()}
    return {file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file()}


def keep(files: Files, main: str, stem: Path) -> Path:
    """Write an input for good: a file where ``main`` is all there is, else a directory."""
    if files.keys() == {main}:
        path = stem.with_name(stem.name + Path(main).suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[main])
        return path
    write_files(files, stem)
    return stem
