"""Examples that a program holds: an array, or a table's columns by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bmtrain.data.checked import check_features, check_labels
from bmtrain.data.dataset import DataFacts, Split
from bmtrain.data.near_names import did_you_mean
from bmtrain.data.quoting import listed, quoted
from bmtrain.data.source import Place, RawArray, RawLabels, RawPart
from bmtrain.errors import DataError

_FEATURES, _LABELS = Place("the examples"), Place("the labels")


@runtime_checkable
class DataFrame(Protocol):
    """Columns by name, as Polars and pandas have them."""

    @property
    def columns(self) -> Iterable[str]:
        """Their names."""
        ...

    def __getitem__(self, name: str) -> Any:
        """One column, (examples,)."""
        ...


def given_features(values: Any, facts: DataFacts) -> RawArray:
    """``values`` as a model with ``facts`` takes them: examples of ``facts.input_shape``.

    Args:
        values: an array of any real dtype, or, for a model of a table, a mapping or a data
            frame with the feature columns, in any order; others are not looked at.

    Raises:
        DataError: they do not fit: shape, dtype, a column that is missing, what is not finite.
    """
    part = RawPart(_as_array(values, facts), None, _FEATURES, _LABELS)
    return check_features(part, shape=facts.input_shape, dtype=facts.input_dtype)


def given_split(values: Any, labels: Any, facts: DataFacts) -> Split:
    """Features as in ``given_features``, and a label or target for each.

    Args:
        labels: class names or numbers (examples,), or targets (examples, outputs).

    Raises:
        DataError: as there; a label of no known class; not one label per example.
    """
    features = given_features(values, facts)
    part = RawPart(features, _as_labels(labels), _FEATURES, _LABELS)
    num_outputs = (facts.num_outputs,) if facts.class_names is None else ()
    return Split(features, check_labels(part, facts.class_names, num_outputs=num_outputs))


def _as_array(values: Any, facts: DataFacts) -> RawArray:
    if not isinstance(values, Mapping | DataFrame):
        return _numbers(values, _FEATURES)
    names = facts.feature_names
    if names is None:
        raise DataError(
            "the model was trained on arrays, which have no column names",
            where=_FEATURES.name,
            hint=f"give one array of examples of shape {facts.input_shape}",
        )
    present = [str(name) for name in (values if isinstance(values, Mapping) else values.columns)]
    columns = []
    for name in names:
        if name not in present:
            raise DataError(
                f"there is no column {quoted(name)}; the columns are: {listed(present)}",
                where=_FEATURES.name,
                hint=did_you_mean(name, present),
            )
        columns.append(_numbers(values[name], Place(f"the column {quoted(name)}")))
    lengths = {len(column) if column.ndim == 1 else -1 for column in columns}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError("expected columns of one length, a number each", where=_FEATURES.name)
    return np.stack(columns, axis=1)


def _numbers(values: Any, place: Place) -> RawArray:
    try:
        array = np.asarray(values)
    except ValueError as error:  # ragged
        raise DataError(f"expected an array of numbers: {error}", where=place.name) from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"expected numbers, got dtype {array.dtype}", where=place.name)
    return array


def _as_labels(labels: Any) -> RawLabels:
    array = np.asarray(labels)
    if array.dtype.kind in "UO" and array.ndim == 1:
        return [str(label) for label in array.tolist()]
    return array
