"""A converted table as the columns that it was: see ``table_records``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.data.encodings.text_encoding import NUM_BYTES, NUM_RESERVED, PADDING
from bmtrain.data.raw.coded_rows import CodedColumns, CodedTokens
from bmtrain.data.raw.columns import Column
from bmtrain.data.raw.file_rows import FileRows
from bmtrain.data.raw.source import RawPart, Source, opened
from bmtrain.data.records.fixed_records import TEXTS, Coding
from bmtrain.errors import DataError

_MAX_TEXTS_BYTES: Final = 1 << 30
_AGAIN: Final = "convert the source again"


def coded_source(
    directory: Path, source: Source, names: Sequence[str], coding: Coding | None
) -> Source:
    """``source``, the arrays of ``directory``, as the columns ``names``.

    ``coding`` None: they are numbers, of which some might be missing.

    Raises:
        DataError: the arrays are none that ``write_table`` writes.
    """
    texts = [None] * len(names) if coding is None else _read_texts(directory / TEXTS)
    coding = coding or Coding((), gaps=True, tokens=None)
    columns = tuple(
        Column(name, "texts" if name in coding.texts else "numbers", coding.gaps) for name in names
    )
    parts = {
        split: dataclasses.replace(part, features=_rows(part, columns, coding, texts))
        for split, part in source.parts.items()
    }
    return dataclasses.replace(source, parts=parts, columns=columns)


def _read_texts(path: Path) -> list[Sequence[str] | None]:
    with opened(path) as (file, num_bytes):
        content = file.read(min(num_bytes, _MAX_TEXTS_BYTES + 1))
    try:
        strict_json.require(len(content) <= _MAX_TEXTS_BYTES, "it is too long")
        found = json.loads(content)
        strict_json.require(isinstance(found, list), "expected a list")
        for texts in found:
            are_texts = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
            strict_json.require(texts is None or are_texts, "expected lists of texts")
    except (ValueError, RecursionError) as error:
        message = f"it is damaged: {error}"
        raise DataError(message, where=str(path), hint=_AGAIN) from None
    return list(found)


def _rows(
    part: RawPart,
    columns: tuple[Column, ...],
    coding: Coding,
    texts: Sequence[Sequence[str] | None],
) -> CodedColumns | CodedTokens:
    """The part's features, which are in their file, with what their numbers stand for."""
    file, tokens = part.features, coding.tokens
    name, width = ("float32", len(columns)) if tokens is None else ("int32", tokens.length)
    kinds = [known is not None for known in texts]
    if (
        not isinstance(file, FileRows)
        or (file.dtype.name, file.shape[1:]) != (name, (width,))
        or kinds != [column.holds == "texts" for column in columns]
    ):
        message = "its values are not those of the columns that dataset.json names"
        raise DataError(message, where=part.features_at.name, hint=_AGAIN)
    if tokens is None:
        made: CodedColumns | CodedTokens = CodedColumns(file, None, columns, tuple(texts))
    else:
        made = CodedTokens(file, None, texts[0] or ())
    if not all(_is_sound(block, made, coding) for block in made.blocks()):
        message = "it has a number that stands for no text, or is none"
        raise DataError(message, where=file.name, hint=_AGAIN)
    return made


def _is_sound(block: NDArray[Any], coded: CodedColumns | CodedTokens, coding: Coding) -> bool:
    if isinstance(coded, CodedTokens):
        is_byte = coding.tokens is not None and coding.tokens.level == "byte"
        number = NUM_RESERVED + (NUM_BYTES if is_byte else len(coded.tokens))
        return bool(((block >= 0) & (block < number)).all() and (block[:, 0] != PADDING).all())
    is_given = ~np.isnan(block)
    if not (coding.gaps or is_given.all()):
        return False
    for place, texts in enumerate(coded.texts):
        values = block[is_given[:, place], place]
        if texts is None:
            if not np.isfinite(values).all():
                return False
        elif not ((values >= 0) & (values < len(texts)) & (values == np.floor(values))).all():
            return False
    return True
