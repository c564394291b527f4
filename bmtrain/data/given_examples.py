"""Examples that a program holds: an array, or a table's columns by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from bmtrain.data.encodings.image_encoding import ImageEncoding
from bmtrain.data.examples.checked import check_labels, check_weights, fitting_features
from bmtrain.data.examples.dataset import DataFacts, Split
from bmtrain.data.examples.features import to_float32
from bmtrain.data.examples.weights import example_weights
from bmtrain.data.pictures.picture_folders import pictures_below
from bmtrain.data.pictures.picture_sources import required_encoding
from bmtrain.data.pictures.pictures import decoded_pictures
from bmtrain.data.raw.columns import Column, RawColumns, are_all_numbers
from bmtrain.data.raw.source import Place, RawArray, RawLabels, RawPart
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.quoting import listed, quoted
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_FEATURES, _LABELS, _WEIGHTS = (Place(f"the {what}") for what in ("examples", "labels", "weights"))


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
        values: an array of any real dtype; for a model of a table, a mapping or a data
            frame with the feature columns, in any order, others are not looked at; for a
            model of pictures, paths of pictures and of folders of them; for one of texts, a
            list of them.

    Raises:
        DataError: they do not fit: shape, dtype, a column that is missing, what is not finite.
    """
    files = given_pictures(values, facts)
    if files is not None:
        encoding = required_encoding(facts, _FEATURES.name)
        place = Place(_FEATURES.name, files=files)
        part = RawPart(decoded_pictures(files, encoding), None, place, _LABELS)
    else:
        part = RawPart(_as_features(values, facts), None, _FEATURES, _LABELS)
    return fitting_features(part, facts)


def given_pictures(values: Any, facts: DataFacts) -> tuple[Path, ...] | None:
    """The files that a list of paths means, or one path; None: not paths, or not of pictures.

    Raises:
        DataError: there are none, or a folder holds none.
    """
    if not isinstance(facts.encoding, ImageEncoding):
        return None
    paths = [values] if isinstance(values, str | os.PathLike) else values
    is_list = isinstance(paths, Sequence) and len(paths) > 0
    if not is_list or not all(isinstance(path, str | os.PathLike) for path in paths):
        return None
    files: list[Path] = []
    for path in map(Path, paths):
        below = list(pictures_below(path)) if path.is_dir() else [path]
        if not below:
            raise DataError("the folder holds no picture", where=str(path))
        files += below
    return tuple(files)


def given_split(values: Any, labels: Any, facts: DataFacts, *, sample_weight: Any = None) -> Split:
    """Features as in ``given_features``, and a label or target for each.

    Args:
        labels: class names or numbers (examples,), or targets (examples, outputs).
        sample_weight: (examples,) what each counts in the loss; None: 1 each. The class weights
            that the model was trained with come on top.

    Raises:
        DataError: as there; a label of no known class; not one label, or weight, per example.
    """
    features = given_features(values, facts)
    given = None if sample_weight is None else _numbers(sample_weight, _WEIGHTS)
    part = RawPart(features, _as_labels(labels), _FEATURES, _LABELS, given, _WEIGHTS)
    num_outputs = (facts.num_outputs,) if facts.class_names is None else ()
    checked = check_labels(part, facts.class_names, num_outputs=num_outputs)
    weights = example_weights(checked, check_weights(part), facts.class_weights)
    return Split(features, checked, weights)


def _as_features(values: Any, facts: DataFacts) -> RawArray | RawColumns:
    if not isinstance(values, Mapping | DataFrame):
        if facts.vocabulary_size is not None:
            (column,) = facts.columns or ()
            return RawColumns({}, {column.name: _only_texts(values, column)})
        return _numbers(values, _FEATURES)
    if facts.columns is None:
        raise DataError(
            "the model was trained on arrays, which have no column names",
            where=_FEATURES.name,
            hint=f"give one array of examples of shape {facts.input_shape}",
        )
    present = [str(name) for name in (values if isinstance(values, Mapping) else values.columns)]
    for column in facts.columns:
        if column.name not in present:
            raise DataError(
                f"there is no column {quoted(column.name)}; the columns are: {listed(present)}",
                where=_FEATURES.name,
                hint=did_you_mean(column.name, present),
            )
    given = {column: values[column.name] for column in facts.columns}
    numbers = {
        column.name: _numbers(cells, Place(f"the column {quoted(column.name)}"))
        for column, cells in given.items()
        if column.holds == "numbers"
    }
    texts = {c.name: _texts(cells, c) for c, cells in given.items() if c.holds == "texts"}
    lengths = {len(column) if column.ndim == 1 else -1 for column in numbers.values()}
    lengths |= {len(column) for column in texts.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError("expected columns of one length, a value each", where=_FEATURES.name)
    if are_all_numbers(facts.columns):
        return np.stack(list(numbers.values()), axis=1)
    return _checked_columns(facts.columns, numbers, texts)


def _only_texts(values: Any, column: Column) -> pl.Series:
    """A list, an array or a series of texts; a single text is none."""
    cells = [values] if isinstance(values, str | bytes) else list(values)
    wrong = [row for row, cell in enumerate(cells) if not isinstance(cell, str)]
    if isinstance(values, str | bytes) or wrong:
        what = "one text" if isinstance(values, str | bytes) else f"{cells[wrong[0]]!r:.40}"
        raise DataError(
            f"expected a list of texts, got {what}",
            where=_FEATURES.name if not wrong else _FEATURES.row(wrong[0]),
            hint="for a single one write [text]",
        )
    return _texts(values, column)


def _texts(values: Any, column: Column) -> pl.Series:
    """Texts, null for None and NaN."""
    import polars as pl

    cells = [
        None if cell is None or (isinstance(cell, float) and np.isnan(cell)) else str(cell)
        for cell in list(values)
    ]
    texts = pl.Series(column.name, cells, pl.String)
    if texts.null_count() and not column.may_be_missing:
        row = cells.index(None)
        raise DataError("the value is missing", where=f"the column {quoted(column.name)}[{row}]")
    return texts


def _checked_columns(
    columns: Sequence[Column], numbers: Mapping[str, RawArray], texts: Mapping[str, pl.Series]
) -> RawColumns:
    checked = {}
    for column in columns:
        if column.name not in numbers:
            continue
        values, place = numbers[column.name], Place(f"the column {quoted(column.name)}")
        is_given = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), np.bool_)
        if not column.may_be_missing:
            is_given = np.ones(len(values), np.bool_)
        whole = np.full(len(values), np.nan, np.float32)
        whole[is_given] = to_float32(values[is_given], place)
        checked[column.name] = whole
    return RawColumns(checked, texts)


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
