"""A plugin's data formats: a file as named arrays, which are read on as those of an ``.npz`` file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bmtrain.config.plugin_faults import plugin_fault
from bmtrain.config.plugin_signatures import given_by
from bmtrain.config.plugin_tables import FormatEntry, called
from bmtrain.data.arrays.array_files import parts_of, texts_in
from bmtrain.data.arrays.numpy_files import name_of_examples, read_any_part, read_splits
from bmtrain.data.raw.source import Place, RawArray, RawLabels, RawPart, Source, reading
from bmtrain.errors import DataError, PluginError

#: Truth values, whole numbers, numbers, texts.
_KINDS = "biufU"


class PluginArrays:
    """What a plugin's reader gives of one path."""

    def __init__(self, entry: FormatEntry, path: Path) -> None:
        self.where = str(path)
        what = f"{called(entry)}: its reader"
        with reading(path):
            path.stat()
        with _reading(path):
            given = given_by(what, entry.reader, path)
        if not isinstance(given, Mapping):
            raise PluginError(
                f"{what} gives {type(given).__name__}, expected a mapping of names to arrays"
            )
        self._arrays = {str(name): _checked(given[name], f"{what}: {name}") for name in given}
        self.names = sorted(self._arrays)

    def read(self, name: str) -> RawArray:
        """The array ``name``."""
        return self._arrays[name]

    def features(self, name: str) -> RawArray:
        """The same: a plugin's arrays are held."""
        return self._arrays[name]

    def labels(self, name: str) -> RawLabels:
        """The same; of texts each different one is held once."""
        found = texts_in(iter([(0, self._arrays[name])]))
        return self._arrays[name] if found is None else found

    def num_examples(self, name: str) -> int:
        """Its first axis."""
        return len(self._arrays[name])

    def place(self, name: str) -> Place:
        """How errors name it."""
        return Place(f"{self.where}: {name}")


def plugin_format(
    path: Path, wanted: str, formats: Mapping[str, FormatEntry]
) -> FormatEntry | None:
    """The plugin's format that ``path`` has, said or told from its ending; None: it has no such."""
    if wanted != "auto":
        return formats.get(wanted)
    suffix = path.suffix.lower()
    return next((entry for entry in formats.values() if suffix in entry.suffixes), None)


def read_plugin_source(
    entry: FormatEntry, path: Path, *, weight: str | None, group: str | None
) -> Source:
    """All splits: x_train, y_train and so on."""
    return read_splits(PluginArrays(entry, path), weight, group)


def read_plugin_part(
    entry: FormatEntry, path: Path, *, labels: bool, weight: str | None = None
) -> RawPart:
    """The examples: ``x`` (and ``y``), else ``x_test``, else ``x_train``."""
    return read_any_part(PluginArrays(entry, path), labels=labels, weight=weight)


def plugin_blocks(entry: FormatEntry, path: Path, num_rows: int) -> Iterator[RawPart]:
    """The examples as in ``read_plugin_part``, without labels, ``num_rows`` at a time."""
    arrays = PluginArrays(entry, path)
    rows = arrays.read(name_of_examples(arrays))
    starts = range(0, len(rows), num_rows)
    yield from parts_of(((s, rows[s : s + num_rows]) for s in starts), str(path))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What the system says is about the file; all else that the reader raises about the plugin."""
    try:
        yield
    except DataError as error:
        error.where = error.where or str(path)
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"cannot be read: {reason}", where=str(path)) from error
    except Exception as error:
        fault = plugin_fault(error)
        if fault is None:
            raise
        fault.hint = f"while it read {path}; where the file is wrong, raise plugins.DataError"
        raise fault from error


def _checked(array: Any, what: str) -> RawArray:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in _KINDS or array.ndim < 1:
        got = f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array)
        raise PluginError(f"{what}: expected a NumPy array of numbers or texts, got {got}")
    return array
