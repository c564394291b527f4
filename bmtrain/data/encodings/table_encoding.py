"""Tables with categories and missing values as inputs: one-hot columns, filled gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.sections.data import MissingKind
from bmtrain.data.raw.coded_rows import CodedColumns
from bmtrain.data.raw.columns import Column, RawColumns
from bmtrain.data.raw.source import Place, RawArray
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl


#: Inputs of one column; a column of more different texts holds names, not categories.
MAX_CATEGORIES: Final = 10_000
_UNSEEN, _MISSING = "(unseen)", "(missing)"


@dataclass(frozen=True, slots=True)
class NumericInput:
    """A column of numbers: one input, and one more that is 1 where the value is missing.

    Attributes:
        fill: stands for a missing value; None: there must be none.
        has_indicator: whether there is the second input.
    """

    name: str
    fill: float | None = None
    has_indicator: bool = False

    @property
    def column(self) -> Column:
        """What is read."""
        return Column(self.name, "numbers", may_be_missing=self.fill is not None)

    @property
    def input_names(self) -> tuple[str, ...]:
        """One per input."""
        return (self.name, f"{self.name}={_MISSING}") if self.has_indicator else (self.name,)

    def encode(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(examples,) → (examples, inputs)."""
        is_missing = np.isnan(values)
        filled = (
            values if self.fill is None else np.where(is_missing, np.float32(self.fill), values)
        )
        inputs = (filled, is_missing) if self.has_indicator else (filled,)
        return np.stack(inputs, axis=1).astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class CategoricalInput:
    """A column of texts: an input for each category, one for all others, one for missing ones.

    Exactly one of them is 1. No training example is of another category; what the model
    makes of one later is what it makes of none.
    """

    name: str
    categories: tuple[str, ...]
    may_be_missing: bool = False

    @property
    def column(self) -> Column:
        """What is read."""
        return Column(self.name, "texts", may_be_missing=self.may_be_missing)

    @property
    def input_names(self) -> tuple[str, ...]:
        """One per input."""
        others = (_UNSEEN, _MISSING) if self.may_be_missing else (_UNSEEN,)
        return tuple(f"{self.name}={category}" for category in (*self.categories, *others))

    def encode(self, texts: pl.Series) -> NDArray[np.float32]:
        """(examples,) → (examples, inputs)."""
        number = {category: at for at, category in enumerate(self.categories)}
        unseen = len(number)
        numbers = [unseen + 1 if text is None else number.get(text, unseen) for text in texts]
        inputs = np.zeros((len(texts), len(self.input_names)), np.float32)
        inputs[np.arange(len(texts)), numbers] = 1
        return inputs


@dataclass(frozen=True, slots=True)
class TableEncoding:
    """The inputs of a table, in the order of its columns."""

    kind: ClassVar[str] = "table"
    inputs: tuple[NumericInput | CategoricalInput, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read."""
        return tuple(part.column for part in self.inputs)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One per input: ``age``, ``sex=female``, ``sex=(unseen)`` and so on."""
        return tuple(name for part in self.inputs for name in part.input_names)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """A vector."""
        return (len(self.feature_names),)

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """Numbers are; what is 0 or 1 stays so."""
        return np.array(
            [
                isinstance(part, NumericInput) and name == part.name
                for part in self.inputs
                for name in part.input_names
            ]
        )

    @property
    def input_dtype(self) -> str:
        """Always float32."""
        return "float32"

    @property
    def vocabulary_size(self) -> None:
        """Numbers and categories are no tokens."""
        return None

    def encode(self, raw: RawColumns, place: Place) -> RawArray:
        """(examples, inputs) float32."""
        del place  # any text can be encoded
        blocks = [
            part.encode(raw.numbers[part.name])
            if isinstance(part, NumericInput)
            else part.encode(raw.texts[part.name])
            for part in self.inputs
        ]
        return np.concatenate(blocks, axis=1)

    def as_json(self) -> dict[str, Any]:
        """``{"inputs": [{"name", "fill", "has_indicator"} | {"name", "categories", …}]}``."""
        return {"inputs": [_input_as_json(part) for part in self.inputs]}


def fit_table_encoding(
    columns: Sequence[Column], train: RawColumns | CodedColumns, missing: MissingKind
) -> TableEncoding:
    """Categories and fills of the training examples.

    Categories are sorted. ``mean`` and ``median`` fill a missing number with that of the
    training examples (float64), ``indicator`` with the mean, and adds an input that says so
    where training examples lack the number.

    Raises:
        DataError: a column holds no value at all, or too many categories.
    """
    inputs: dict[str, NumericInput | CategoricalInput] = {}
    may_be_missing = {column.name: column.may_be_missing for column in columns}
    for name, texts in train.different_texts().items():
        inputs[name] = CategoricalInput(name, _categories(name, texts), may_be_missing[name])
    gaps = [c.name for c in columns if c.holds == "numbers" and c.may_be_missing]
    for name, given in train.given_numbers(gaps):
        has_indicator = missing == "indicator" and len(given) < len(train)
        inputs[name] = NumericInput(name, _fill(name, given, missing), has_indicator)
    return TableEncoding(tuple(inputs.get(c.name) or NumericInput(c.name) for c in columns))


def _categories(name: str, texts: Collection[str]) -> tuple[str, ...]:
    if len(texts) > MAX_CATEGORIES:
        raise DataError(
            f"column {quoted(name)} has {len(texts):,} different values in the "
            f"training examples; at most {MAX_CATEGORIES:,} can be categories",
            key=("data", "categorical"),
            hint="leave it out with data.features",
        )
    return tuple(sorted(texts))


def _fill(name: str, given: NDArray[np.float32], missing: MissingKind) -> float:
    """In float64, rounded to float32; ``given`` is brought into another order."""
    if not len(given):
        raise DataError(
            f"column {quoted(name)} holds no number in the training examples",
            key=("data", "missing"),
            hint="leave it out with data.features",
        )
    if missing == "median":
        middle = (len(given) - 1) // 2, len(given) // 2
        given.partition(middle)
        return float(np.float32(np.mean(given[list(middle)], dtype=np.float64)))
    return float(np.float32(np.mean(given, dtype=np.float64)))


def _input_as_json(part: NumericInput | CategoricalInput) -> dict[str, Any]:
    if isinstance(part, NumericInput):
        return {"name": part.name, "fill": part.fill, "has_indicator": part.has_indicator}
    return {
        "name": part.name,
        "categories": list(part.categories),
        "may_be_missing": part.may_be_missing,
    }


def table_encoding_from_json(document: dict[str, Any]) -> TableEncoding:
    """Back again. Raises ``ValueError`` naming the entry."""
    strict_json.require(document.keys() == {"inputs"}, "encoding: expected inputs")
    inputs = document["inputs"]
    strict_json.require(
        isinstance(inputs, list) and len(inputs) > 0, "encoding.inputs: expected a list"
    )
    encoding = TableEncoding(tuple(_input_from_json(part) for part in inputs))
    names = [part.name for part in encoding.inputs]
    strict_json.require(len(set(names)) == len(names), "encoding.inputs: a name is there twice")
    return encoding


def _input_from_json(part: Any) -> NumericInput | CategoricalInput:
    what = "encoding.inputs"
    strict_json.require(isinstance(part, dict), f"{what}: expected objects")
    match part:
        case {"name": str(name), "fill": fill, "has_indicator": bool(flag), **rest} if not rest:
            is_number = isinstance(fill, float) and abs(fill) <= float(np.finfo(np.float32).max)
            strict_json.require(fill is None or is_number, f"{what}: fill: expected a number")
            return NumericInput(name, fill, flag)
        case {
            "name": str(name),
            "categories": list(texts),
            "may_be_missing": bool(flag),
            **rest,
        } if not rest:
            strict_json.require(
                all(isinstance(text, str) for text in texts)
                and len(set(texts)) == len(texts) <= MAX_CATEGORIES,
                f"{what}: categories: expected different texts",
            )
            return CategoricalInput(name, tuple(texts), flag)
    raise ValueError(f"{what}: expected name, fill, has_indicator or name, categories, …")
