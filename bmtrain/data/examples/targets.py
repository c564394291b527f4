"""The targets of a regression: float32 columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.examples.features import to_float32
from bmtrain.data.raw.coded_texts import CodedTexts
from bmtrain.data.raw.source import Place, RawLabels
from bmtrain.data.wording.number_texts import MISSING_MARKS, is_number, plain_number
from bmtrain.data.wording.quoting import quoted, short
from bmtrain.errors import DataError


def as_targets(labels: RawLabels, place: Place) -> NDArray[np.float32]:
    """Regression targets (examples, outputs), rounded to float32; texts must be numbers."""
    if isinstance(labels, CodedTexts):
        labels = _parse_coded(labels, place)
    elif isinstance(labels, list):
        labels = _parse_numbers(labels, place)
    if labels.dtype.kind not in "biuf":
        raise DataError(f"expected numbers as targets, got {labels.dtype}", where=place.name)
    if labels.ndim not in (1, 2) or 0 in labels.shape:
        raise DataError(
            f"expected targets of shape (examples,) or (examples, outputs), got {labels.shape}",
            where=place.name,
        )
    return to_float32(labels.reshape(len(labels), -1), place).astype(np.float32, copy=False)


def _parse_coded(labels: CodedTexts, place: Place) -> NDArray[np.float64]:
    if not all(map(is_number, labels.texts)):
        return _parse_numbers(list(labels), place)  # says what is wrong
    numbers: NDArray[np.float64] = np.array([float(text) for text in labels.texts], np.float64)
    return numbers[labels.codes]


def _parse_numbers(labels: list[str], place: Place) -> NDArray[np.float64]:
    wrong = [row for row, text in enumerate(labels) if not is_number(text)]
    if wrong:
        text = labels[wrong[0]]
        count = f", the first of {len(wrong):,} labels that are none" if len(wrong) > 1 else ""
        raise DataError(
            f"expected a number as target, got {quoted(text)}{count}",
            where=place.row(wrong[0]),
            hint=_hint([labels[row] for row in wrong], num_labels=len(labels)),
        )
    return np.array([float(text) for text in labels], np.float64)


def _hint(wrong: list[str], *, num_labels: int) -> str:
    """What the labels ``wrong`` were meant to be, told from what most of them are."""
    plain = [(text, number) for text in wrong if (number := plain_number(text)) is not None]
    if 2 * len(plain) > len(wrong):
        text, number = plain[0]
        return f"write {short(text)} as {short(number)}, without signs and separators"
    if 2 * len(wrong) < num_labels:
        it, the_row = ("it", "the row") if len(wrong) == 1 else ("them", "these rows")
        is_missing = wrong[0].lower() in MISSING_MARKS
        return f"{f'fill {it} in' if is_missing else f'correct {it}'} or remove {the_row}"
    return "for classes set data.task: classification or take a cross-entropy loss"
