"""The .npy and .npz files to damage: headers that lie, dtypes of every kind, archives."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bmtrain.data.examples.labels import MAX_CLASSES
from fuzzing.files import Files, fitted
from fuzzing.mutations import MAX_EXPANDED, SHAPES, Draw, damaged, damaged_files, values
from fuzzing.words import NPY_DTYPES, NPY_WORDS, ZIP_WORDS

_NAMES = [
    *("x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy", "x_validation.npy"),
    *("y_validation.npy", "x.npy", "y.npy"),
]
_ODD_NAMES = ("x_val.npy", "../x_train.npy", "/x.npy", "x_train", "é.npy", ".npy", "x_train.npy/")
_METHODS = st.sampled_from((0, 0, 8, 8, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))


def _saved(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


@cache
def npy_seeds() -> Sequence[Files]:
    """Pixels with texts, floats with targets, one-hot rows, a stray class number."""
    pixels = _saved(np.arange(16, dtype=np.uint8).reshape(4, 2, 2))
    texts = _saved(np.array(["a", "b", "b", "a"]))
    floats = _saved(np.asfortranarray(np.linspace(0, 1, 12).reshape(4, 3)))
    targets, one_hot = _saved(np.ones((4, 2))), _saved(np.eye(4, dtype=np.int64))
    return (
        dict(zip(_NAMES[:4], (pixels, texts) * 2, strict=True)),
        {"x_train.npy": floats, "y_train.npy": targets},
        {"x_train.npy": floats, "y_train.npy": one_hot} | dict.fromkeys(_NAMES[4:6], one_hot),
        {"x_train.npy": floats, "y_train.npy": _saved(np.array([0, 1, 0, MAX_CLASSES - 1]))},
    )


def npy_inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged directories, and directories of files with odd headers."""
    pairs = st.fixed_dictionaries({"x_train.npy": _arrays(), "y_train.npy": _arrays()})
    others = st.dictionaries(st.sampled_from(_NAMES), _arrays(), max_size=4)
    return st.one_of(damaged_files(found, NPY_WORDS), pairs, others).map(fitted)


@st.composite
def _arrays(draw: Draw) -> bytes:
    dtype = draw(st.sampled_from(NPY_DTYPES[:8]) | st.sampled_from(NPY_DTYPES))
    shape = draw(SHAPES)
    sizes = draw(st.sampled_from((str(shape), str(shape), str([*shape]), "(" + "1," * 40 + ")")))
    fortran = draw(st.sampled_from(("False", "False", "True", "1")))
    text = f"{{'descr': '{dtype}', 'fortran_order': {fortran}, 'shape': {sizes}, }}".encode()
    if draw(st.integers(0, 4)) == 0:
        text = draw(damaged(text, NPY_WORDS, most=1))
    text += b" " * draw(st.sampled_from((0, 20))) + b"\n"
    content = draw(values(prod(shape) * _item_bytes(dtype), draw(st.sampled_from((2000, 30_000)))))
    return bytes(draw(_header(text)) + content)


@st.composite
def _header(draw: Draw, text: bytes) -> bytes:
    version = draw(st.sampled_from((1, 1, 1, 2, 3, 4)))
    length = draw(st.sampled_from((len(text),) * 6 + (0, 2**16 - 1, len(text) + 9)))
    size = struct.pack("<H" if version == 1 else "<I", min(length, 2**16 - 1))
    return b"\x93NUMPY" + bytes((version, 0)) + size + text


def _item_bytes(dtype: str) -> int:
    try:
        return np.dtype(dtype).itemsize
    except (TypeError, ValueError):
        return 1


@cache
def npz_seeds() -> Sequence[Files]:
    """What ``numpy.savez`` and ``numpy.savez_compressed`` write, and a bomb of zeros."""
    members = npy_seeds()[0]
    bomb = {
        "x_train.npy": _saved(np.zeros((MAX_EXPANDED // 16, 16), np.uint8)),
        "y_train.npy": _saved(np.zeros(MAX_EXPANDED // 16, np.int8)),
    }
    plain, packed, zeros = ((members, 0), (members, 8), (bomb, 8))
    archives = (
        _zipped({name: (content, method) for name, content in files.items()})
        for files, method in (plain, packed, zeros)
    )
    return tuple({"data.npz": archive} for archive in archives)


def npz_inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged archives, and archives of odd arrays under odd names."""
    archives = _archives().map(lambda content: {"data.npz": content})
    return st.one_of(damaged_files(found, ZIP_WORDS), archives).map(fitted)


def _zipped(members: Mapping[str, tuple[bytes, int]], comment: bytes = b"") -> bytes:
    """An archive of these contents, each by its method."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name, (content, method) in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


@st.composite
def _archives(draw: Draw) -> bytes:
    names = [*_NAMES[:2], *draw(st.lists(st.sampled_from((*_NAMES[2:], *_ODD_NAMES)), max_size=3))]
    members = {name: (draw(_arrays()), draw(_METHODS)) for name in names}
    if draw(st.integers(0, 30)) == 0:
        members |= {f"a{number}.npy": (b"", 0) for number in range(300)}
    comment = draw(st.sampled_from((b"", b"", b"PK\x05\x06" + bytes(18), b"x" * 300)))
    return bytes(draw(damaged(_zipped(members, comment), ZIP_WORDS, most=2)))
