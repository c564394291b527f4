"""Converted sets to damage: what ``dataset.json`` says, and arrays that it vouches for."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bmtrain.data.records import fixed_records
from fuzzing.files import Files, fitted
from fuzzing.mutations import Draw, altered, as_json, damaged_files, odd_values
from fuzzing.words import NPY_WORDS

NAME = fixed_records.DESCRIPTION
_WORDS = (*NPY_WORDS, b'"files"', b'"bytes"', b'"sha256"', b"null", b'"columns"', b"../", b"1e999")


@cache
def seeds() -> Sequence[Files]:
    """A table with weights and groups, one of targets, pictures with a test split."""
    texts = np.array(["x", "y", "x", "y"])
    groups = np.array(["g", "g", "h", "h"])
    floats = np.linspace(0, 1, 8, dtype=np.float32).reshape(4, 2)
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 2, 2)
    table = {"x_train": floats, "y_train": texts, "w_train": floats[:, 0], "group_train": groups}
    names = {"columns": ["a", "b"], "label": "kind", "weight": "w", "group": "g"}
    targets = {"x_train": floats, "y_train": floats[:, 1]}
    pictures = {"x_train": pixels, "y_train": texts, "x_test": pixels, "y_test": texts}
    return (
        _set(table, names),
        _set(targets, {**names, "weight": None, "group": None}),
        _set(pictures, dict.fromkeys(names)),
    )


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged sets; descriptions that say something else; sets whose damage is vouched for."""
    broken = damaged_files(found, _WORDS)
    described = _described(found)
    return st.one_of(broken, broken.map(_vouched), described, described.map(_vouched)).map(fitted)


def _set(arrays: Mapping[str, NDArray[Any]], names: Mapping[str, Any]) -> Files:
    files = {f"{name}.npy": _saved(array) for name, array in arrays.items()}
    document = {"version": 1, **names, "files": _facts(files)}
    return {**files, NAME: as_json(document)}


def _saved(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _facts(files: Files) -> dict[str, Any]:
    return {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
        if name != NAME
    }


@st.composite
def _described(draw: Draw, found: Sequence[Files]) -> Files:
    """One in which a value of the description is another one."""
    files = dict(draw(st.sampled_from(found)))
    document = _document(files)
    if document is not None:
        files[NAME] = as_json(draw(altered(document, odd_values())))
    return files


def _vouched(files: Files) -> Files:
    """The same with the sizes and checksums that its files have now: the damage is let in."""
    document = _document(files)
    if not isinstance(document, dict) or "files" not in document:
        return files
    return {**files, NAME: as_json({**document, "files": _facts(files)})}


def _document(files: Files) -> Any:
    try:
        return json.loads(files.get(NAME, b""))
    except (ValueError, RecursionError):
        return None
