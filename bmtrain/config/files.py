"""Config files from the disk: bounded, decoded, with what they extend and their paths resolved."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bmtrain.config.nodes import MappingNode, Node, ScalarNode, is_null
from bmtrain.config.paths import beside, resolved_paths
from bmtrain.config.source_text import Problem, SourceText
from bmtrain.config.suggestions import MAX_SUGGESTIONS, listed_or, nearest
from bmtrain.config.yaml_reader import read_yaml
from bmtrain.errors import ConfigError
from bmtrain.program import program
from bmtrain.regular_files import NotRegular, open_regular

MAX_FILE_BYTES = 1_000_000
#: Files in one chain of ``extends``, the first one included.
MAX_CHAIN = 8
#: Characters of a path; no system opens a longer one.
MAX_PATH = 4096

_SUFFIXES = (".yaml", ".yml")
_DATA_SUFFIXES = (".csv", ".parquet", ".npz", ".npy")
#: A directory of data may lie beside a config, and holds more files than anybody means.
_MAX_SCANNED = 10_000


@dataclass(slots=True)
class FileChain:
    """A config file and the files it extends, base first.

    ``is_whole`` is false where a part could not be read: missing keys mean nothing then.
    """

    configs: list[MappingNode] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = True


def read_chain(path: Path, *, may_extend: bool = True) -> FileChain:
    """Read ``path`` and what it extends, which is a problem unless it ``may_extend`` anything.

    Raises:
        ConfigError: ``path`` itself cannot be read as a text; what is wrong further in
            is in the chain's problems.
    """
    chain = FileChain()
    seen: list[Path] = []
    source = _read_source(path, order=0)
    while True:
        seen.append(path)
        root, extends = _read_config(source, chain)
        if root is not None:
            chain.configs.insert(0, root)
        if extends is None:
            return chain
        if not may_extend:
            message = "a run's own config is whole; it cannot name another file"
            chain.problems.append(Problem(extends.place, message, ("extends",)))
            chain.is_whole = False
            return chain
        opened = _open_base(extends, seen, source, chain)
        if opened is None:
            chain.is_whole = False
            return chain
        path, source = opened


def _read_source(path: Path, order: int) -> SourceText:
    """The text of a config file.

    Raises:
        ConfigError: missing, unreadable, too large, not UTF-8, or empty.
    """
    if order == 0 and path.suffix.lower() in _DATA_SUFFIXES and path.is_file():
        raise ConfigError(
            "a file of data; expected a YAML file",
            where=str(path),
            hint=f"write a config for it: {program()} init --data {shlex.quote(str(path))}",
        )
    try:
        # The first file may be a pipe, <(command) in a shell; one that a file names may not.
        with path.open("rb") if order == 0 else _opened_base(path) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError, NotRegular) as error:
        raise _reading_failed(path, error) from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(
            f"a config of more than {MAX_FILE_BYTES // 1_000_000} MB; expected a YAML file",
            where=str(path),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError("not a text in UTF-8; expected a YAML file", where=str(path)) from None
    if "\0" in text:
        raise ConfigError("a binary file; expected a YAML file", where=str(path))
    if not text.strip():
        raise ConfigError("the file is empty; expected a config", where=str(path))
    return SourceText.of(str(path), text, path.parent, order)


def _opened_base(path: Path) -> BinaryIO:
    if path.is_dir():
        raise IsADirectoryError
    return os.fdopen(open_regular(path, links=True), "rb")


def _reading_failed(path: Path, error: OSError | ValueError | NotRegular) -> ConfigError:
    hint = None
    if isinstance(error, FileNotFoundError):
        message = f"no such file{_near_files(path)}"
    elif isinstance(error, IsADirectoryError):
        message = "a directory; expected a YAML file"
        if (path / "config.yaml").is_file():
            run = shlex.quote(str(path))
            hint = f"if it is a run, go on with it: {program()} train {run} --resume"
    elif isinstance(error, NotRegular):
        message = "not a regular file; expected a YAML file"
    elif isinstance(error, PermissionError):
        message = "not readable: permission denied"
    else:
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"cannot be read: {reason or error}"
    return ConfigError(message, where=str(path), hint=hint)


def _near_files(path: Path) -> str:
    """``"; did you mean 'configs/mnist.yaml'?"``: config files there with such a name; or ""."""
    with suppress(OSError), os.scandir(path.parent) as entries:
        beside = [Path(entry.name) for entry in islice(entries, _MAX_SCANNED) if entry.is_file()]
        configs = sorted(file for file in beside if file.suffix.lower() in _SUFFIXES)
        same = [file for file in configs if file.stem.lower() == path.stem.lower()]
        near = same or [
            file for file in configs if file.stem in nearest(path.stem, {c.stem for c in configs})
        ]
        if 0 < len(near) <= MAX_SUGGESTIONS:
            return f"; did you mean {listed_or([str(path.with_name(file.name)) for file in near])}?"
    return ""


def _read_config(source: SourceText, chain: FileChain) -> tuple[MappingNode | None, Node | None]:
    """The mapping in ``source`` and its ``extends``, if it has one."""
    root, problems = read_yaml("\n".join(source.lines), source)
    chain.problems.extend(problems)
    if root is None:
        chain.is_whole = False
        return None, None
    if not isinstance(root, MappingNode):
        chain.is_whole = False
        got = "nothing" if is_null(root) else root.shown()
        chain.problems.append(Problem(root.place, f"expected a mapping of settings, got {got}"))
        return None, None
    extends = root.child("extends")
    root = resolved_paths(root.without("extends"), chain.problems)
    return root, (None if is_null(extends) else extends)


def _open_base(
    extends: Node, seen: list[Path], source: SourceText, chain: FileChain
) -> tuple[Path, SourceText] | None:
    """The extended file's path and text, or None with the problem noted."""
    written = extends.value if isinstance(extends, ScalarNode) else None
    if not isinstance(written, str) or "\0" in written or len(written) > MAX_PATH:
        message = f"expected the path of one file, got {extends.shown()}"
    elif _is_seen(base := beside(source.directory, written), seen):
        message = f"a cycle: {base} is already in this chain"
    elif len(seen) >= MAX_CHAIN:
        message = f"a chain of more than {MAX_CHAIN} files"
    else:
        try:
            return base, _read_source(base, source.order + 1)
        except ConfigError as error:
            message = str(error)
    chain.problems.append(Problem(extends.place, message, ("extends",)))
    return None


def _is_seen(path: Path, seen: list[Path]) -> bool:
    return any(path.resolve() == earlier.resolve() for earlier in seen)
