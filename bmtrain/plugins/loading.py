"""Running the files that the user names with ``--plugin``: the one place where that is done.

The bytes whose sha256 is recorded are those that run: the file is read once. It is one file: what
it imports must be installed, and nothing beside it is looked for.
"""

from __future__ import annotations

import ast
import hashlib
import linecache
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from bmtrain.config.plugin_faults import MODULE_PREFIX, fault_at, innermost, raised_in_words
from bmtrain.config.plugin_tables import NO_PLUGINS, PluginFile, Plugins, called, kind_of
from bmtrain.errors import BmtrainError, Diagnostic, PluginError
from bmtrain.plugins.registration import collecting
from bmtrain.regular_files import NotRegular, opened_regular

MAX_BYTES: Final = 1_000_000
#: What is started later, with the config's threads and device.
_LATER: Final = ("tensorflow", "keras")
_IMPORT_LATER: Final = (
    "import it inside the functions that use it: the config is checked without it, and it is "
    "started with the config's threads and device"
)

#: (path, sha256) → what that file registered: in one process the same content runs once.
_files: dict[tuple[Path, str], PluginFile] = {}
_sets: dict[tuple[int, ...], Plugins] = {}


def load_plugins(paths: Sequence[Path]) -> Plugins:
    """Run each file, and collect what they register.

    Raises:
        PluginError: one is missing, fails, registers nothing, or takes a name that is taken; the
            diagnostic has its file, line and column.
    """
    files: dict[Path, PluginFile] = {}
    for path in paths:
        resolved = Path(os.path.realpath(path))
        if resolved not in files:
            files[resolved] = _loaded(path)
            _require_no_name_twice(tuple(files.values()))
    if not files:
        return NO_PLUGINS
    key = tuple(map(id, files.values()))
    return _sets.setdefault(key, Plugins(tuple(files.values())))


def _loaded(path: Path) -> PluginFile:
    content = _read(path)
    sha256 = hashlib.sha256(content).hexdigest()
    key = (path.absolute(), sha256)
    if key not in _files:
        _files[key] = _run(path, content, sha256)
    return _files[key]


def _read(path: Path) -> bytes:
    try:
        with opened_regular(path, links=True) as (descriptor, size):
            if size > MAX_BYTES:
                raise PluginError(
                    f"a file of more than {MAX_BYTES // 1_000_000} MB; expected a Python file",
                    where=str(path),
                )
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        message, hint = "no such file", "--plugin takes the path of a Python file"
    except NotRegular:
        message, hint = "not a regular file; expected a Python file", None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message, hint = f"cannot be read: {reason}", None
    raise PluginError(message, where=str(path), hint=hint)


def _run(path: Path, content: bytes, sha256: str) -> PluginFile:
    source = str(path)
    text = content.decode(errors="replace")
    lines = text.splitlines(keepends=True)
    code = _compiled(source, content, lines)
    # What ran is what is shown of it, whatever the file says by then.
    linecache.cache[source] = (len(content), None, lines, source)
    stem = re.sub(r"\W", "_", path.stem, flags=re.ASCII)
    module = ModuleType(f"{MODULE_PREFIX}{stem}_{sha256[:8]}")
    module.__file__ = source
    # Annotations are looked up where the module is found by its name.
    sys.modules[module.__name__] = module
    try:
        with collecting() as entries, _not_importable(_LATER), redirect_stdout(sys.stderr):
            exec(code, module.__dict__)  # noqa: S102  # the user named this file to be run
    except KeyboardInterrupt:
        del sys.modules[module.__name__]
        raise
    except BaseException as error:
        del sys.modules[module.__name__]
        raise _failed(error, source) from error
    if not entries:
        raise PluginError(
            "it registers nothing",
            where=source,
            hint="call bmtrain.plugins.register_layer, register_loss, register_metric, "
            "register_format or register_augmentation at its top",
        )
    added, at = zip(*entries, strict=True)
    return PluginFile(path.name, path, sha256, added, at)


def _compiled(source: str, content: bytes, lines: list[str]) -> CodeType:
    try:
        tree = ast.parse(content, source)
        for node in _run_at_once(tree):
            _require_no_tensorflow(node, source, lines)
        return compile(tree, source, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = error.lineno or 0, error.offset or 0
        raise _at(source, lines, f"{error.msg}", line, column, error.end_offset or 0) from None
    except (ValueError, RecursionError, MemoryError) as error:
        said = str(error) or "too deeply nested"
        raise PluginError(f"it is no Python: {said}", where=source) from None


def _run_at_once(tree: ast.AST) -> Iterator[ast.AST]:
    """The parts that run when the file is loaded: not functions, nor what is for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        yield node
        yield from _run_at_once(node)


def _require_no_tensorflow(node: ast.AST, source: str, lines: list[str]) -> None:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    for name in names:
        if name.partition(".")[0] in _LATER:
            assert isinstance(node, ast.stmt)
            message = f"{name} is imported when the file is loaded; {_IMPORT_LATER}"
            start = len(lines[node.lineno - 1].encode()[: node.col_offset].decode()) + 1
            raise _at(source, lines, message, node.lineno, start, (node.end_col_offset or 0) + 1)


def _at(  # a place
    source: str, lines: list[str], message: str, line: int, column: int, end_column: int
) -> PluginError:
    text = lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""
    return PluginError(
        message,
        diagnostics=[
            Diagnostic(
                source=source,
                message=message,
                line=line,
                column=column,
                length=max(1, end_column - column),
                source_line=text,
            )
        ],
    )


@contextmanager
def _not_importable(names: Sequence[str]) -> Iterator[None]:
    """``import NAME`` raises ImportError inside, also for what the file imports; unless it is there."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python says so
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def _failed(error: BaseException, source: str) -> PluginError:
    """What loading raised, with the line of the plugin in which it did."""
    at = innermost(error)
    if isinstance(error, BmtrainError):
        message, hint = error.message, error.hint
    elif isinstance(error, SystemExit):
        message, hint = "it ends the program (SystemExit)", None
    elif isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _LATER:
        message, hint = f"{error.name} is imported when the file is loaded; {_IMPORT_LATER}", None
    elif isinstance(error, ModuleNotFoundError):
        message = f"there is no module '{error.name}'"
        hint = "install it; a plugin is one file, and nothing beside it is looked for"
    else:
        message = str(error) if at is None else raised_in_words(error, at)
        hint = None
    if at is None:
        return PluginError(message, where=source, hint=hint)
    return fault_at(at, message, hint)


def _require_no_name_twice(files: Sequence[PluginFile]) -> None:
    *earlier, last = files
    before = Plugins(tuple(earlier))
    source = str(last.path)
    for entry, line in zip(last.entries, last.lines, strict=True):
        other = before.file_of(kind_of(entry), entry.name)
        if other is not None:
            message = (
                f"{called(entry)} is added by {other.name}, too: rename it in one of them, or name "
                "one of them alone"
            )
            lines = linecache.getlines(source)
            text = lines[line - 1] if 0 < line <= len(lines) else ""
            start = len(text) - len(text.lstrip()) + 1
            raise _at(source, lines, message, line, start, len(text.rstrip()) + 1)
