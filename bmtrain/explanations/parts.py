"""What an example is made of, as a person sees it: columns, tokens, patches of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bmtrain.data.encodings.table_encoding import TableEncoding
from bmtrain.data.encodings.text_encoding import NUM_RESERVED, PADDING, UNKNOWN, TextEncoding
from bmtrain.data.examples.dataset import DataFacts

Kind = Literal["picture", "text", "table", "array"]
#: So many patches along the shorter side of a picture.
_PATCHES: Final = 7
_UNKNOWN_TOKEN: Final = "(unknown)"  # noqa: S105  # no password


def kind_of(facts: DataFacts) -> Kind:
    """What an example is: arrays of rank 2, or 3 with 1 or 3 channels, are taken for pictures."""
    shape = facts.input_shape
    if facts.vocabulary_size is not None:
        return "text"
    if len(shape) == 1:
        return "table"
    is_picture = len(shape) == 2 or (len(shape) == 3 and shape[2] in {1, 3})
    return "picture" if is_picture else "array"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table.

    Attributes:
        names: one per column.
        part_of: int64 (inputs,), the number of the column that each input is of: the inputs of
            a category, and a number's "is missing", are of one column.
    """

    names: tuple[str, ...]
    part_of: NDArray[np.int64]

    def inputs(self, column: int) -> NDArray[np.int64]:
        """The numbers of its inputs."""
        return np.flatnonzero(self.part_of == column)

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Per column of values (inputs,)."""
        sums = np.zeros(len(self.names))
        np.add.at(sums, self.part_of, values)
        return sums


def columns_of(facts: DataFacts) -> Columns:
    """Of examples that are vectors."""
    encoding = facts.encoding
    if isinstance(encoding, TableEncoding):
        widths = [len(part.input_names) for part in encoding.inputs]
        names = tuple(part.name for part in encoding.inputs)
        return Columns(names, np.repeat(np.arange(len(widths)), widths))
    number = facts.input_shape[0]
    names = facts.feature_names or tuple(f"input {at}" for at in range(number))
    return Columns(names, np.arange(number))


def cells(facts: DataFacts, columns: Columns, example: NDArray[Any]) -> tuple[str, ...]:
    """What the example has in each column: a number, or the name of its category."""
    told = []
    is_number = facts.is_number
    for column, name in enumerate(columns.names):
        inputs = columns.inputs(column)
        first, *others = example[inputs].tolist()
        if is_number[inputs[0]]:
            told.append("(missing)" if any(others) else _number(first))
        else:
            assert facts.feature_names is not None  # only an encoding has categories
            chosen = int(inputs[np.argmax(example[inputs])])
            told.append(facts.feature_names[chosen].removeprefix(f"{name}="))
    return tuple(told)


def _number(value: float) -> str:
    """With as many digits as tell a float32 apart: those of the table, if it has no more."""
    return str(np.float32(value)).removesuffix(".0")


def tokens_of(encoding: TextEncoding, example: NDArray[Any]) -> tuple[str, ...]:
    """The text's tokens without its padding; a byte that is no character is escaped."""
    numbers = [int(number) for number in example[: num_tokens(example)]]
    if encoding.level == "byte":
        raw = (
            bytes([number - NUM_RESERVED]) if number >= NUM_RESERVED else b"?" for number in numbers
        )
        return tuple(byte.decode(errors="backslashreplace") for byte in raw)
    return tuple(
        encoding.vocabulary[number - NUM_RESERVED] if number > UNKNOWN else _UNKNOWN_TOKEN
        for number in numbers
    )


def num_tokens(example: NDArray[Any]) -> int:
    """How many come before the padding."""
    return int(np.count_nonzero(example != PADDING))


def patches(shape: tuple[int, ...]) -> tuple[NDArray[np.int64], int]:
    """The number of the patch that each pixel (height, width) is of, and a patch's side.

    Squares from the upper left on, about 7 along the shorter side; those at the other edges may
    be cut off.
    """
    height, width = shape[:2]
    side = max(1, round(min(height, width) / _PATCHES))
    rows, columns = np.arange(height) // side, np.arange(width) // side
    return rows[:, None] * (int(columns[-1]) + 1) + columns, side
