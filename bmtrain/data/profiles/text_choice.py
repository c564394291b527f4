"""Whether one column of a table holds texts to learn from, and as which tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import TokensSection
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.tables.table_profile import Column

if TYPE_CHECKING:
    import polars as pl

    from bmtrain.data.tables.cells import Cells

#: A title or a name has fewer words; beside other features a text must be clearly one.
_MANY_WORDS: Final = 8
_SEVERAL_WORDS: Final = 3
_LONG_WORD: Final = 20
#: Among so many other features a text is a remark.
_MANY_FEATURES: Final = 20
#: Letters, gaps and stops, as sequences are written: no identifier, address or checksum.
_SEQUENCE: Final = r"^[\pL*.-]+$"
_WORD: Final = r"\S+"
_UNSPACED: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_MOST: Final = 0.95
_MAX_LENGTH: Final = 1000


@dataclass(frozen=True, slots=True)
class TextChoice:
    """The column for ``data.text``, its ``data.tokens``, and in words how long the texts are.

    ``have_one_length``: all texts of the training file have as many tokens as the others.
    """

    name: str
    tokens: TokensSection
    have_one_length: bool
    reason: str


def choose_text(
    table: Cells, columns: Sequence[Column], label: str, num_features: int
) -> TextChoice | None:
    """The column with the most tokens of those that obviously hold texts; None: none does.

    Such texts are mostly different and consist of several words, or of a long one of letters.

    Args:
        table: the training file.
        columns: what is in it.
        label: the column to predict.
        num_features: how many of the other columns could be features.
    """
    if num_features > _MANY_FEATURES:
        return None
    few = _MANY_WORDS if num_features else _SEVERAL_WORDS
    found: list[tuple[float, TextChoice]] = []
    for column in columns:
        if column.name == label or not _is_candidate(column, num_features):
            continue
        texts = table.columns[column.name].drop_nulls().alias("texts")
        if np.median(texts.str.count_matches(_WORD).to_numpy()) >= few:
            found.append(_chosen(column.name, texts, "word"))
        elif _are_sequences(texts):
            found.append(_chosen(column.name, texts, "character"))
    return max(found, key=lambda entry: entry[0])[1] if found else None


def _is_candidate(column: Column, num_features: int) -> bool:
    """A text may be missing only where nothing else could be an input: the reader tells of it."""
    is_mostly_different = 2 * column.num_distinct > column.num_rows
    return (
        column.kind == "texts"
        and is_mostly_different
        and (not column.num_missing or not num_features)
    )


def _are_sequences(texts: pl.Series) -> bool:
    """Long words of letters, or sentences of a script that sets no spaces."""
    is_sequence = (texts.str.len_chars() >= _LONG_WORD) & texts.str.contains(_SEQUENCE)
    is_unspaced = texts.str.count_matches(_UNSPACED) >= _LONG_WORD
    are_most = [float(part.to_numpy().mean()) >= _MOST for part in (is_sequence, is_unspaced)]
    return any(are_most)


def _chosen(name: str, texts: pl.Series, level: str) -> tuple[float, TextChoice]:
    """How many tokens most texts have, and the choice.

    A few texts that are far longer than the others lose their end; the others do not fill all
    places, by which it is told that nothing of theirs was cut off.
    """
    numbers = _num_tokens(texts, level)
    longest, middle = int(numbers.max()), float(np.median(numbers))
    usual = int(np.percentile(numbers, 100 * _MOST, method="higher"))
    length = min(longest if longest <= 2 * usual else usual + 1, _MAX_LENGTH)
    unit = "words and signs" if level == "word" else "characters"
    have_one_length = int(numbers.min()) == longest
    if have_one_length:
        reason = f"each text has {longest:,} {unit}"
    else:
        reason = f"texts have {middle:,.0f} {unit} in the middle, {longest:,} at most"
    if length < longest:
        part = float((numbers > length).mean())
        reason += f"; {part:.1%} of them lose their end"
    tokens = TokensSection.model_validate({"level": level, "length": length})
    return middle, TextChoice(name, tokens, have_one_length, reason)


def _num_tokens(texts: pl.Series, level: str) -> NDArray[np.int64]:
    tokens = TokensSection.model_validate({"level": level})
    encoding = TextEncoding(texts.name, tokens.level, tokens.lowercase, tokens.length, ())
    return encoding.count_tokens(texts)
