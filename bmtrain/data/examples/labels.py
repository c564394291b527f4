"""Labels as the losses want them: class numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.raw.coded_texts import CodedTexts, Texts
from bmtrain.data.raw.source import Place, RawArray, RawLabels, RawPart, require_one_each
from bmtrain.data.wording.near_names import did_you_mean
from bmtrain.data.wording.number_texts import is_number
from bmtrain.data.wording.quoting import listed, quoted, short
from bmtrain.errors import DataError

#: Their names go into every checkpoint. A stray number among the labels makes as many classes.
MAX_CLASSES: Final = 150_000

_Texts = TypeVar("_Texts", bound=Texts)

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_INTEGRAL = re.compile(r"([+-]?\d{1,18})\.0*")


def require_labels(part: RawPart) -> RawLabels:
    """The labels of a part; DataError unless there is one per example, and one at least."""
    labels = part.labels
    if labels is None:
        raise DataError("the labels are missing", where=part.features_at.name)
    require_one_each(len(part.features), len(labels), part.labels_at.name)
    if not len(labels):
        raise DataError("there are no examples: expected one at least", where=part.labels_at.name)
    return labels


def fit_class_names(train: RawPart) -> tuple[str, ...]:
    """The classes of the training labels, in class order.

    Texts: the distinct values, sorted; as numbers if all are integers. Class numbers:
    "0" … "max". One-hot rows: one class per column.
    """
    labels, place = require_labels(train), train.labels_at
    if not isinstance(labels, np.ndarray):
        names = _distinct_texts(_without_missing(labels, place), place)
        num_present = len(names)
    else:
        numbers = _class_numbers(labels, place)
        num_classes = labels.shape[1] if _is_one_hot(labels) else int(numbers.max()) + 1
        _require_few_classes(num_classes, place)
        names = tuple(str(number) for number in range(num_classes))
        num_present = len(np.unique(numbers))
    if num_present < 2:
        raise DataError(
            "all training labels are the same; classification needs at least two classes",
            where=place.name,
        )
    return names


def as_classes(labels: RawLabels, class_names: tuple[str, ...], place: Place) -> NDArray[np.int32]:
    """Class numbers (examples,) into ``class_names``; DataError at the first unknown label."""
    coded: CodedTexts | None = None
    if isinstance(labels, CodedTexts):
        coded = _without_missing(labels, place)
        texts = [_canonical(text) for text in coded.texts]
    elif isinstance(labels, list):
        texts = [_canonical(text) for text in _without_missing(labels, place)]
    else:
        numbers = _class_numbers(labels, place)
        if _are_numbers(class_names):
            unknown = np.flatnonzero(numbers >= len(class_names))
            if unknown.size:
                row = int(unknown[0])
                raise _unknown_label(str(numbers[row]), class_names, place.row(row))
            return numbers.astype(np.int32)
        texts = [str(number) for number in numbers.tolist()]
    index = {name: number for number, name in enumerate(class_names)}
    classes = np.fromiter((index.get(text, -1) for text in texts), np.int32, len(texts))
    classes = classes if coded is None else classes[coded.codes]
    unknown = np.flatnonzero(classes < 0)
    if unknown.size:
        row = int(unknown[0])
        text = texts[row if coded is None else coded.codes[row]]
        raise _unknown_label(text, class_names, place.row(row))
    return classes


def require_seen_classes(
    labels: RawArray, train_labels: RawArray, names: tuple[str, ...], place: Place
) -> None:
    """DataError if ``labels`` hold a class of which there is no training example."""
    seen = np.bincount(train_labels, minlength=len(names)) > 0
    unseen = np.flatnonzero(~seen[labels])
    if unseen.size:
        row = int(unseen[0])
        raise DataError(
            f"class {quoted(names[labels[row]])} has no training example", where=place.row(row)
        )


def _is_one_hot(labels: RawArray) -> bool:
    return labels.ndim == 2 and labels.shape[1] > 1


def _class_numbers(labels: RawArray, place: Place) -> NDArray[np.int64]:
    """Class numbers (examples,) from numbers (examples,), (examples, 1) or one-hot rows."""
    if labels.dtype.kind not in "biuf":
        raise DataError(f"expected class numbers, got {labels.dtype}", where=place.name)
    if labels.ndim not in (1, 2) or 0 in labels.shape:
        raise DataError(
            "expected class numbers of shape (examples,) or one-hot rows of shape "
            f"(examples, classes), got {labels.shape}",
            where=place.name,
        )
    if _is_one_hot(labels):
        return _from_one_hot(labels, place)
    numbers = labels.reshape(-1)
    # A float64 bound: as a plain int it would overflow under float16 labels. NaN fails both.
    is_class = (numbers >= 0) & (numbers <= np.float64(np.iinfo(np.int32).max))
    is_class &= numbers == np.floor(numbers)
    wrong = np.flatnonzero(~is_class)
    if wrong.size:
        row = int(wrong[0])
        raise DataError(
            f"expected a class number (an integer from 0), got {numbers[row]}",
            where=place.row(row),
            hint="for numeric targets set data.task: regression or take a regression loss",
        )
    return numbers.astype(np.int64)


def _from_one_hot(labels: RawArray, place: Place) -> NDArray[np.int64]:
    is_one = labels == 1
    is_one_hot = (is_one | (labels == 0)).all(axis=1) & (is_one.sum(axis=1) == 1)
    wrong = np.flatnonzero(~is_one_hot)
    if wrong.size:
        row = int(wrong[0])
        raise DataError(
            "expected a one-hot row (a single 1, else 0) or one class number per example",
            where=place.row(row),
        )
    numbers: NDArray[np.int64] = np.argmax(is_one, axis=1).astype(np.int64)
    return numbers


def _without_missing(labels: _Texts, place: Place) -> _Texts:
    """``labels``; DataError at the first "NaN", which pandas writes for a missing one."""
    if isinstance(labels, CodedTexts):
        are_missing = np.array([text.lower() == "nan" for text in labels.texts])
        missing = np.flatnonzero(are_missing[labels.codes]).tolist() if are_missing.any() else []
    else:
        missing = [row for row, text in enumerate(labels) if text.lower() == "nan"]
    if missing:
        is_one = len(missing) == 1
        raise DataError(
            f"the label is missing: {labels[missing[0]]!r}"
            + ("" if is_one else f", the first of {len(missing):,} such labels"),
            where=place.row(missing[0]),
            hint=f"fill {'it' if is_one else 'them'} in or remove "
            f"{'the row' if is_one else 'these rows'}",
        )
    return labels


def _distinct_texts(labels: Texts, place: Place) -> tuple[str, ...]:
    first_rows: dict[str, int] = {}
    rows: Iterable[tuple[int, str]] = enumerate(labels)
    if isinstance(labels, CodedTexts):
        rows = zip(labels.first_rows().tolist(), labels.texts, strict=True)
    for row, text in rows:
        first_rows.setdefault(_canonical(text), row)
    names = list(first_rows)
    _require_few_classes(len(names), place)
    if all(_INTEGER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    if all(is_number(name) for name in names):
        name = next(name for name in names if not _INTEGER.fullmatch(name))
        raise DataError(
            f"expected classes, got the number {short(name)}",
            where=place.row(first_rows[name]),
            hint="for numeric targets set data.task: regression or take a regression loss",
        )
    return tuple(sorted(names))


def _canonical(text: str) -> str:
    """One text per class: 3.0 and 3 are the same, spreadsheets write either."""
    match = _INTEGRAL.fullmatch(text)
    return match.group(1) if match else text


def _are_numbers(class_names: tuple[str, ...]) -> bool:
    return all(name == str(number) for number, name in enumerate(class_names))


def _require_few_classes(num_classes: int, place: Place) -> None:
    if num_classes > MAX_CLASSES:
        raise DataError(
            f"expected at most {MAX_CLASSES:,} classes, got {num_classes:,}",
            where=place.name,
            hint="for numeric targets set data.task: regression or take a regression loss",
        )


def _unknown_label(text: str, class_names: tuple[str, ...], where: str) -> DataError:
    return DataError(
        f"the label {quoted(text)} is not among the {len(class_names)} classes "
        f"of the training examples: {listed(class_names, 10)}",
        where=where,
        hint=did_you_mean(text, class_names),
    )
