"""From columns to the array that a model takes: fitted on the training split, kept with the model.

An encoding is data: it travels in the checkpoint as JSON, and every reader of examples applies
the same one. Arrays, and tables of numbers without gaps, are inputs as they are and have none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.sections.data import DataSection
from bmtrain.data.encodings.image_encoding import ImageEncoding, image_encoding_from_json
from bmtrain.data.encodings.table_encoding import (
    TableEncoding,
    fit_table_encoding,
    table_encoding_from_json,
)
from bmtrain.data.encodings.text_encoding import (
    TextEncoding,
    fit_text_encoding,
    text_encoding_from_json,
)
from bmtrain.data.raw.coded_rows import CodedColumns, CodedTokens
from bmtrain.data.raw.columns import Column, RawColumns
from bmtrain.data.raw.source import Place, RawArray
from bmtrain.data.raw.streamed_rows import Features

#: Columns that are no inputs yet; those of a file are read when they are encoded.
Columns = RawColumns | CodedColumns | CodedTokens


class Encoding(Protocol):
    """What was fitted; equal encodings make equal inputs of equal columns."""

    #: Its name in a checkpoint.
    kind: ClassVar[str]

    @property
    def columns(self) -> tuple[Column, ...] | None:
        """What is read of a table, in any order; None: inputs are not made of columns."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """One per input where an example is a vector of named ones, else None."""
        ...

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one encoded example."""
        ...

    @property
    def input_dtype(self) -> str:
        """NumPy's name of the encoded features' dtype."""
        ...

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """Which inputs ``data.normalize`` scales, of shape () or ``input_shape``."""
        ...

    @property
    def vocabulary_size(self) -> int | None:
        """Where inputs are the numbers of tokens: they are below this; None for quantities."""
        ...

    def encode(self, raw: RawColumns, place: Place) -> RawArray:
        """The features (examples, *input_shape); DataError where a value cannot be encoded."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Everything but ``kind``, as plain JSON."""
        ...


#: kind → its reader, which raises ValueError, naming the entry, where JSON is not what
#: ``as_json`` writes.
ENCODINGS: Final[dict[str, Callable[[dict[str, Any]], Encoding]]] = {
    TableEncoding.kind: table_encoding_from_json,
    ImageEncoding.kind: image_encoding_from_json,
    TextEncoding.kind: text_encoding_from_json,
}


def fit_encoding(
    section: DataSection, columns: tuple[Column, ...] | None, train: Features | Columns
) -> Encoding | None:
    """The encoding that ``section`` asks for, fitted on the training split; None without one."""
    if section.image is not None:
        return ImageEncoding.of(section.image)
    if columns is None or not isinstance(train, RawColumns | CodedColumns | CodedTokens):
        return None
    if section.text is not None:
        assert not isinstance(train, CodedColumns)
        return fit_text_encoding(section.text, train, section.tokens)
    assert not isinstance(train, CodedTokens)
    return fit_table_encoding(columns, train, section.missing)


def encoding_as_json(encoding: Encoding | None) -> dict[str, Any] | None:
    """``encoding`` as a checkpoint keeps it."""
    return None if encoding is None else {"kind": encoding.kind, **encoding.as_json()}


def encoding_from_json(document: Any) -> Encoding | None:
    """Back again. Raises ``ValueError`` naming what is wrong."""
    if document is None:
        return None
    strict_json.require(isinstance(document, dict), "encoding: expected null or an object")
    kind = document.pop("kind", None)
    known = ", ".join(ENCODINGS)
    strict_json.require(isinstance(kind, str) and kind in ENCODINGS, f"encoding.kind: not {known}")
    return ENCODINGS[kind](document)
