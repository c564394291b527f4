"""IDX files to damage: headers that lie, values of every dtype, compressed and not."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from functools import cache
from math import prod

import numpy as np
from hypothesis import strategies as st

from fuzzing.files import Files, fitted
from fuzzing.mutations import MAX_EXPANDED, SHAPES, Draw, damaged, damaged_files, values
from fuzzing.words import IDX_WORDS

_NAMES = (
    *("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"),
    *("t10k-labels-idx1-ubyte", "train-images.idx3-ubyte", "train-labels-idx2-ubyte"),
)
_ITEM_BYTES = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}


def _idx(code: int, shape: Sequence[int], content: bytes) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + content


@cache
def seeds() -> Sequence[Files]:
    """Two by two pixels, plain and compressed; floats with targets; a bomb of zeros."""
    images = _idx(8, (4, 2, 2), bytes(range(16)))
    labels = _idx(8, (4,), bytes((0, 1, 1, 0)))
    plain = dict(zip(_NAMES[:4], (images, labels, images, labels), strict=True))
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()}
    floats = _idx(13, (4, 3), np.linspace(-1, 1, 12, dtype=">f4").tobytes())
    targets = _idx(14, (4,), np.arange(4, dtype=">f8").tobytes())
    zeros = _idx(12, (MAX_EXPANDED // 64, 4, 4), bytes(MAX_EXPANDED))
    bomb = {f"{_NAMES[0]}.gz": gzip.compress(zeros, mtime=0), _NAMES[1]: labels}
    return (plain, packed, dict(zip(_NAMES[:2], (floats, targets), strict=True)), bomb)


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged directories, and directories of files with odd headers."""
    return st.one_of(damaged_files(found, IDX_WORDS), _directories()).map(fitted)


@st.composite
def _directories(draw: Draw) -> Files:
    files = {}
    for name in _NAMES[: draw(st.sampled_from((2, 2, 4, 6)))]:
        content = draw(_arrays())
        is_packed = draw(st.integers(0, 3)) == 0
        full_name = f"{name}.gz" if is_packed else name
        files[full_name] = draw(_packed(content)) if is_packed else content
    return files


@st.composite
def _arrays(draw: Draw) -> bytes:
    code = draw(st.sampled_from((8, 8, 9, 11, 12, 13, 14, 10, 0)))
    shape = draw(SHAPES)
    most = draw(st.sampled_from((2000,) * 5 + (MAX_EXPANDED,)))
    return _idx(code, shape, draw(values(prod(shape) * _ITEM_BYTES.get(code, 1), most)))


@st.composite
def _packed(draw: Draw, content: bytes) -> bytes:
    """In one gzip member or several, cut off, damaged, or followed by something."""
    packed = gzip.compress(content, compresslevel=draw(st.sampled_from((1, 9, 0))), mtime=0)
    what = draw(st.integers(0, 4))
    if what == 0:
        packed = packed[: draw(st.integers(0, len(packed)))]
    elif what == 1:
        packed += draw(st.sampled_from((packed[:200], bytes(9), b"x", gzip.compress(b"", mtime=0))))
    elif what == 2:
        packed = draw(damaged(packed, most=2))
    return packed
