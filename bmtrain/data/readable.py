"""Examples as a person reads them: the cells of a row, the words of a text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.encoding import Encoding
from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.encodings.text_encoding import NUM_RESERVED, PADDING, TextEncoding
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.raw.columns import RawColumns

_MISSING: Final = "(missing)"
_UNSEEN: Final = "(unseen)"
_UNKNOWN: Final = "▯"

#: (column, cell) of one row; a text has the one of its column.
Cells = tuple[tuple[str, str], ...]


def raw_cells(columns: RawColumns, row: int) -> Cells:
    """What the table itself has in a row of the examples."""
    cells = {name: _number(values[row]) for name, values in columns.numbers.items()}
    texts = {name: series[row] for name, series in columns.texts.items()}
    cells |= {name: _MISSING if text is None else str(text) for name, text in texts.items()}
    return tuple(cells.items())


def model_cells(facts: DataFacts, example: NDArray[Any]) -> Cells | None:
    """The same from what the model is given; None where that is no row and no text.

    Args:
        example: one of a split's features.
    """
    if isinstance(facts.encoding, TextEncoding):
        return ((facts.encoding.name, _text(facts.encoding, example)),)
    if isinstance(facts.encoding, TableEncoding):
        return _row(facts.encoding, example)
    if facts.feature_names is None:
        return None
    return tuple(
        (name, _number(value)) for name, value in zip(facts.feature_names, example, strict=True)
    )


def _row(encoding: TableEncoding, example: NDArray[Any]) -> Cells:
    cells = []
    at = 0
    for part in encoding.inputs:
        inputs = example[at : at + len(part.input_names)]
        at += len(part.input_names)
        cells.append((part.name, _cell(part, inputs)))
    return tuple(cells)


def _cell(part: NumericInput | CategoricalInput, inputs: NDArray[Any]) -> str:
    if isinstance(part, NumericInput):
        return _MISSING if part.has_indicator and inputs[1] else _number(inputs[0])
    number = int(np.argmax(inputs))
    others = (_UNSEEN, _MISSING)
    return (*part.categories, *others)[number]


def _text(encoding: TextEncoding, tokens: NDArray[Any]) -> str:
    numbers = [int(number) for number in tokens if number != PADDING]
    if encoding.level == "byte":
        return bytes(number - NUM_RESERVED for number in numbers if number >= NUM_RESERVED).decode(
            errors="replace"
        )
    known = [
        encoding.vocabulary[number - NUM_RESERVED] if number >= NUM_RESERVED else _UNKNOWN
        for number in numbers
    ]
    return ("" if encoding.level == "character" else " ").join(known)


def _number(value: Any) -> str:
    """With as many digits as tell a float32 apart: those of the table, if it has no more."""
    return _MISSING if np.isnan(value) else str(np.float32(value)).removesuffix(".0")


def unseen_categories(encoding: Encoding | None, inputs: Any) -> dict[str, int]:
    """Of inputs (examples, inputs), per column the cells of a category that training never saw."""
    if not isinstance(encoding, TableEncoding):
        return {}
    found: dict[str, int] = {}
    start = 0
    for part in encoding.inputs:
        if isinstance(part, CategoricalInput):
            number = int(np.count_nonzero(inputs[:, start + len(part.categories)]))
            found |= {part.name: number} if number else {}
        start += len(part.input_names)
    return found
