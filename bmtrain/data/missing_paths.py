"""Where data is not: what there is instead."""

from __future__ import annotations

from pathlib import Path

from bmtrain.data.bundled import BUNDLED
from bmtrain.data.formats import shown_data
from bmtrain.data.raw.source import names_in
from bmtrain.data.wording.near_names import nearest_name
from bmtrain.errors import DataError


def missing_path_hint(path: Path) -> str:
    """The nearest name to a ``path`` that is not there; else what is beside it.

    Absolute paths, since a relative one is often of another directory than was meant.
    """
    path = path.absolute()
    if path.is_symlink():
        return f"it is a link to {path.readlink()}, which is not there"
    missing = next((parent for parent in reversed(path.parents) if not parent.exists()), None)
    if missing is not None:
        return f"there is no directory {missing}"
    try:
        names = names_in(path.parent)
    except DataError:
        return f"looked in {path.parent}"
    if (near := nearest_name(path.name, names)) is not None:
        return f"did you mean {path.parent / near}?"
    return f"looked in {path.parent}, which holds {shown_data(names) or 'no data'}"


def missing_source_hint(path: Path) -> str:
    """The same for a config's ``data.source``, which may have meant a bundled set.

    A config that was resolved has the path of then; the data may have moved since.
    """
    if not path.suffix and (name := nearest_name(path.name, BUNDLED)):
        return f"a bundled set is a bare word: data.source={name}"
    found = missing_path_hint(path)
    moved = "data that has moved is given with data.source=PATH, to eval with --data PATH"
    return f"{found} {moved}" if found.endswith("?") else f"{found}; {moved}"
