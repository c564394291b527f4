"""Parquet files to damage."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any

import polars as pl
from hypothesis import strategies as st

from fuzzing.files import Files, fitted
from fuzzing.mutations import damaged_files

NAME = "data.parquet"
_WORDS = (b"PAR1", b"\x15\x00", b"\x15\x04", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"kind")


@cache
def seeds() -> Sequence[Files]:
    """Numbers, texts and gaps; each compression; a long column in dictionary pages."""
    small = pl.DataFrame({"a": [1, 2, 3, 4], "b": [0.5, 1.5, 2.5, None], "kind": [*"xyxy"]})
    long = pl.DataFrame({"a": [float(row % 9) for row in range(5000)], "kind": ["u", "v"] * 2500})
    odd = pl.DataFrame({"a": [[1], [2]], "b": [True, False], "kind": ["x", "y"]})
    compressions: tuple[Any, ...] = ("uncompressed", "snappy", "gzip", "lz4", "zstd", "brotli")
    frames = [(small, name) for name in compressions] + [(long, "snappy"), (odd, "zstd")]
    return tuple({NAME: _written(frame, compression)} for frame, compression in frames)


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged files: a drawn one would be none."""
    return damaged_files(found, _WORDS).map(fitted)


def _written(frame: pl.DataFrame, compression: Any) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, compression=compression)
    return file.getvalue()
