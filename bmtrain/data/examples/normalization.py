"""Fitting the scaling of the inputs on the training split."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.dataset import Dataset
from bmtrain.data.examples.preprocessing import Preprocessing
from bmtrain.data.raw.streamed_rows import Features, value_blocks

Statistic = NDArray[np.float64]

# Rows are widened to float64 a block at a time: the whole would be 8 times a uint8 array.
_BLOCK_VALUES = 1 << 20


def fit_preprocessing(dataset: Dataset, normalize: str) -> Preprocessing:
    """Scaling of the inputs from the training split's statistics (float64).

    ``unit``: uint8 is x/255; else (x − min)/(max − min). ``standardize``:
    (x − mean)/s.d., the s.d. with 1/m. ``auto``: unit for uint8, standardize for tables,
    none else. Inputs of categories stay 0 and 1. Statistics are per feature where an example
    is a vector, over all values otherwise; what is constant is shifted and not scaled.
    """
    features = dataset.splits["train"].features
    kind = _resolve(dataset, normalize)
    offset: Statistic = np.zeros(())
    scale: Statistic = np.ones(())
    if kind == "unit" and features.dtype == np.uint8:
        scale = scale / 255.0
    elif kind != "none":
        low, high = extremes(features)
        if kind == "unit":
            offset, spread = low, high - low
        else:
            offset, spread = mean_and_deviation(features)
        scale = _inverse(spread, is_constant=low == high)
        if features.ndim != 2:
            offset, scale = offset.reshape(()), scale.reshape(())
    if dataset.facts.encoding is not None:
        is_scaled = dataset.facts.encoding.is_scaled
        offset, scale = np.where(is_scaled, offset, 0.0), np.where(is_scaled, scale, 1.0)
    return Preprocessing(
        facts=dataset.facts,
        normalize=kind,
        offset=np.asarray(offset, np.float32),
        scale=np.asarray(scale, np.float32),
    )


def _resolve(dataset: Dataset, normalize: str) -> str:
    if normalize != "auto":
        return normalize
    if dataset.facts.input_dtype == "uint8":
        return "unit"
    return "standardize" if dataset.facts.feature_names is not None else "none"


def extremes(features: Features) -> tuple[Statistic, Statistic]:
    """The smallest and the largest value of each feature of a vector; else of all values, (1,)."""
    ends = [(block.min(axis=0), block.max(axis=0)) for block in _columns(features)]
    low = np.min([low for low, _ in ends], axis=0)
    high = np.max([high for _, high in ends], axis=0)
    return low.astype(np.float64), high.astype(np.float64)


def mean_and_deviation(features: Features) -> tuple[Statistic, Statistic]:
    """Mean and s.d., by feature as in ``extremes``; two passes, so nothing cancels."""
    num_rows = len(features) if features.ndim == 2 else prod(features.shape)
    mean: Statistic = sum(block.sum(axis=0) for block in _wide(features)) / num_rows
    squares: Statistic = sum(((block - mean) ** 2).sum(axis=0) for block in _wide(features))
    return mean, np.sqrt(squares / num_rows)


def _columns(features: Features) -> Iterator[NDArray[Any]]:
    for block in value_blocks(features, _BLOCK_VALUES):
        yield block if features.ndim == 2 else block.reshape(-1, 1)


def _wide(features: Features) -> Iterator[Statistic]:
    for block in _columns(features):
        yield block.astype(np.float64)


def _inverse(spread: Statistic, is_constant: NDArray[np.bool_]) -> Statistic:
    """1/spread where float32 can hold it, 1 for constants.

    Constants are told by min = max: the computed s.d. of a constant is rarely 0.
    """
    smallest = 1.0 / float(np.finfo(np.float32).max)
    is_scaled = ~is_constant & (spread > smallest)
    return np.divide(1.0, spread, out=np.ones_like(spread), where=is_scaled)
