"""Inputs as the model gets them: uint8 or float32, finite, one row per example."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from math import prod

import numpy as np

from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import Place, RawArray
from bmtrain.data.raw.streamed_rows import Features, StreamedRows
from bmtrain.errors import DataError

# Enough rows at a time to be fast, few enough to need little memory beside the array.
_BLOCK_VALUES = 1 << 22
_MAX_EXACT_INTEGER = 1 << 24


def as_features(values: RawArray, place: Place) -> RawArray:
    """``values`` (examples, ...) as uint8 or float32; DataError names the place.

    uint8 stays, bool becomes uint8, all else float32: float64 and float16 by
    rounding, integers only up to ±2²⁴, where float32 is exact. One number per
    example, (examples,), becomes (examples, 1).
    """
    _require_values(values, place)
    if values.ndim == 1:
        values = values.reshape(-1, 1)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    return _as_float32(values, place)


def as_streamed_features(values: FileRows, place: Place, dtype: str | None) -> StreamedRows:
    """The same of what stays in its file, checked block by block.

    ``dtype``: as of ``match_integers``; None: none is wanted.
    """
    _require_values(values, place)
    is_byte = values.dtype.kind == "b" or values.dtype == np.uint8
    is_byte = is_byte or (dtype == "uint8" and all(_are_bytes(rows) for _, rows in _blocks(values)))
    if not is_byte:
        for start, rows in _blocks(values):
            as_features(rows, dataclasses.replace(place, first_row=place.first_row + start))
    return StreamedRows(values, np.dtype(np.uint8 if is_byte else np.float32))


def _blocks(values: FileRows) -> Iterator[tuple[int, RawArray]]:
    num_rows = max(1, _BLOCK_VALUES // prod(values.shape[1:]))
    for start in range(0, len(values), num_rows):
        yield start, values[start : start + num_rows]


def _require_values(values: RawArray | FileRows, place: Place) -> None:
    if values.dtype.kind not in "biuf":
        raise DataError(f"expected numbers, got dtype {values.dtype}", where=place.name)
    if not values.shape:
        raise DataError("expected one entry per example, got a single number", where=place.name)
    if 0 in values.shape:
        what = "no examples" if values.shape[0] == 0 else f"examples of shape {values.shape[1:]}"
        raise DataError(f"expected at least one value per example, got {what}", where=place.name)


def match_dtype(features: Features, dtype: str, place: Place) -> Features:
    """``features`` in the dtype that the training examples have.

    uint8 widens to float32. Where uint8 is wanted, float32 is refused: values
    that were scaled already would be scaled again.
    """
    if features.dtype == dtype:
        return features
    if dtype == "float32":
        if isinstance(features, StreamedRows):
            return dataclasses.replace(features, dtype=np.dtype(np.float32))
        return features.astype(np.float32)
    raise DataError(
        f"expected {dtype} values as in the training examples, got {features.dtype}",
        where=place.name,
        hint="the training examples' scaling is applied here too; give unscaled values",
    )


def match_integers(values: RawArray, dtype: str) -> RawArray:
    """Integers of another width as uint8 where that is ``dtype`` and holds them all."""
    if dtype != "uint8" or values.dtype.kind not in "iu" or values.size == 0:
        return values
    return values.astype(np.uint8) if _are_bytes(values) else values


def _are_bytes(values: RawArray) -> bool:
    is_integer = values.dtype.kind in "iu"
    return is_integer and int(values.min()) >= 0 and int(values.max()) <= 255


def require_finite(values: RawArray, place: Place) -> None:
    """DataError at the first NaN or infinity of a float array (examples, ...)."""
    rows_per_block = max(1, _BLOCK_VALUES * len(values) // max(values.size, 1))
    for start in range(0, len(values), rows_per_block):
        finite = np.isfinite(values[start : start + rows_per_block])
        if not finite.all():
            row, *position = (int(index) for index in np.argwhere(~finite)[0])
            value = values[(start + row, *position)]
            at = f" at position {tuple(position)}" if position else ""
            raise DataError(
                f"expected finite numbers, got {value}{at}", where=place.row(start + row)
            )


def to_float32(values: RawArray, place: Place) -> RawArray:
    """Finite ``values`` rounded to float32; DataError where one is beyond its range."""
    require_finite(values, place)
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(values, dtype=np.float32)
    if values.dtype.itemsize > 4 and not np.isfinite(rounded).all():
        row = int(np.argwhere(~np.isfinite(rounded))[0][0])
        raise DataError(
            "a value is too large for float32, whose largest is 3.4e38", where=place.row(row)
        )
    return rounded


def _as_float32(values: RawArray, place: Place) -> RawArray:
    if values.dtype.kind == "f":
        return to_float32(values, place)
    is_exact = (values >= -_MAX_EXACT_INTEGER) & (values <= _MAX_EXACT_INTEGER)
    if not is_exact.all():
        position = tuple(int(index) for index in np.argwhere(~is_exact)[0])
        raise DataError(
            f"the {values.dtype} value {values[position]} is beyond 2**24, "
            "up to where float32 holds every integer",
            where=place.row(position[0]),
            hint="if rounding is fine, store the array as float32",
        )
    return np.ascontiguousarray(values, dtype=np.float32)
