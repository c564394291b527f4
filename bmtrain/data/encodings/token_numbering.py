"""Texts as numbers of tokens before there is a vocabulary: for records that any vocabulary fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bmtrain.config.sections.data import TokensSection
from bmtrain.data.encodings.text_encoding import (
    NUM_RESERVED,
    PADDING,
    UNKNOWN,
    TextEncoding,
    token_counts,
)
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.source import Place


class TokenNumbering:
    """The numbers that ``CodedTokens`` has.

    0 is padding, 1 what can be in no vocabulary, each other token has the number of its place
    among all that were seen, from 2 on; bytes have their own.
    """

    def __init__(self, name: str, tokens: TokensSection) -> None:
        self._name = name
        self._tokens = tokens
        self._numbers: dict[str, int] = {}

    @property
    def tokens(self) -> list[str]:
        """All that were seen, in their order; none of bytes."""
        return list(self._numbers)

    def numbered(self, raw: RawColumns, place: Place) -> NDArray[np.int32]:
        """Of some texts, (texts, length); DataError at one without any token."""
        section = self._tokens
        known = () if section.level == "byte" else self._seen(raw)
        encoding = TextEncoding(self._name, section.level, section.lowercase, section.length, known)
        numbers = encoding.encode(raw, place)
        if section.level == "byte":
            return numbers.astype(np.int32)
        of_known = [PADDING, UNKNOWN, *(self._numbers[token] for token in known)]
        return np.array(of_known, np.int32)[numbers]

    def _seen(self, raw: RawColumns) -> tuple[str, ...]:
        """Those of the texts, which have a number now."""
        found = token_counts(raw, self._name, self._tokens)["token"].sort().to_list()
        for token in found:
            self._numbers.setdefault(token, NUM_RESERVED + len(self._numbers))
        return tuple(found)
