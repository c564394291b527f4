"""Texts as sequences of token numbers: a vocabulary fitted on the training split, and its rules.

A text loses the spaces around it, becomes lower case if so configured, and

- ``word``: is brought to Unicode's composed form (NFC) and cut into runs of letters, digits,
  marks and underscores, an apostrophe between two of them included ("don't" is one word), and
  single signs: each punctuation mark, symbol or emoji is a word of its own. Spaces are dropped.
- ``character``: is brought to NFC and cut into code points; a mark that NFC leaves apart from
  its letter is a character of its own.
- ``byte``: is encoded in UTF-8; the vocabulary is all 256 bytes.

Number 0 is padding, 1 a token that the vocabulary lacks, the others are the vocabulary's, the
most frequent first, of equally frequent ones the first in the order of code points. A text of
more tokens than ``length`` loses its end; a shorter one is followed by padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_args

import numpy as np
from numpy.typing import NDArray

from bmtrain import strict_json
from bmtrain.config.sections.data import TokenLevel, TokensSection
from bmtrain.data.raw.coded_rows import CodedTokens
from bmtrain.data.raw.columns import Column, RawColumns
from bmtrain.data.raw.source import Place, RawArray
from bmtrain.data.wording.quoting import quoted
from bmtrain.errors import DataError

if TYPE_CHECKING:
    import polars as pl


PADDING: Final = 0
UNKNOWN: Final = 1
#: Numbers that are no token of the vocabulary.
NUM_RESERVED: Final = 2
#: A longer word is unknown: it is no word, and a checkpoint would have to hold it.
MAX_TOKEN_LENGTH: Final = 100
MAX_TOKENS: Final = 100_000
NUM_BYTES: Final = 256
_TEXTS_AT_A_TIME: Final = 1 << 14
#: Rust's \w: letters of any script, marks, decimal digits, connectors, joiners.
_PATTERNS: Final[dict[TokenLevel, str]] = {
    "word": r"\w+(?:['’]\w+)*|[^\w\s]",
    "character": r"(?s).",
}

#: For readers of a model without this program.
TOKEN_RULES: Final = (
    "Take spaces off both ends; if encoding.lowercase, lower case; for level byte: the bytes of "
    "UTF-8, each plus 2; else Unicode NFC, then all matches of the regular expression "
    f"{_PATTERNS['word']} (word; \\w as in Rust, with marks) or all code points (character), each "
    "to 2 + its place in encoding.vocabulary, or 1 if it is not there; the first encoding.length "
    "of them, followed by zeros."
)


@dataclass(frozen=True, slots=True)
class TextEncoding:
    """The tokens of one column of texts.

    Attributes:
        name: of the column.
        vocabulary: the tokens from number 2 on; empty for bytes.
        length: tokens of an encoded text, padding included.
    """

    kind: ClassVar[str] = "text"
    name: str
    level: TokenLevel
    lowercase: bool
    length: int
    vocabulary: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read: no text may be missing."""
        return (Column(self.name, "texts"),)

    @property
    def feature_names(self) -> None:
        """A token has no name but what it is."""
        return None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(length,)."""
        return (self.length,)

    @property
    def vocabulary_size(self) -> int:
        """Token numbers are below this."""
        size = NUM_BYTES if self.level == "byte" else len(self.vocabulary)
        return NUM_RESERVED + size

    @property
    def input_dtype(self) -> str:
        """The smaller of both that holds every token's number."""
        return "uint16" if self.vocabulary_size <= 1 << 16 else "int32"

    @property
    def is_scaled(self) -> NDArray[np.bool_]:
        """Numbers of tokens are names."""
        return np.zeros((), np.bool_)

    def encode(self, raw: RawColumns, place: Place) -> RawArray:
        """Token numbers (examples, length); DataError at a text without any token."""
        texts = raw.texts[self.name]
        numbers = np.zeros((len(texts), self.length), self.input_dtype)
        for start in range(0, len(texts), _TEXTS_AT_A_TIME):
            block = texts.slice(start, _TEXTS_AT_A_TIME)
            rows, columns, tokens = self._numbered(block)
            numbers[start + rows, columns] = tokens
        is_empty = numbers[:, 0] == PADDING
        if is_empty.any():
            raise DataError(
                f"column {quoted(self.name)}: the text is empty", where=place.row(is_empty.argmax())
            )
        return numbers

    def count_tokens(self, texts: pl.Series) -> NDArray[np.int64]:
        """How many tokens each text has, those beyond ``length`` included."""
        return np.concatenate(
            [
                self._lengths(texts.slice(start, _TEXTS_AT_A_TIME))
                for start in range(0, len(texts), _TEXTS_AT_A_TIME)
            ]
        )

    def _lengths(self, texts: pl.Series) -> NDArray[np.int64]:
        prepared = _prepared(texts, self.level, self.lowercase)
        if self.level == "byte":
            return prepared.str.len_bytes().to_numpy().astype(np.int64)
        return prepared.str.count_matches(_PATTERNS[self.level]).to_numpy().astype(np.int64)

    def _numbered(self, texts: pl.Series) -> tuple[RawArray, RawArray, RawArray]:
        """Row, column and number of each token."""
        prepared = _prepared(texts, self.level, self.lowercase)
        if self.level == "byte":
            parts = [text.encode()[: self.length] for text in prepared]
            lengths = np.array([len(part) for part in parts], np.int64)
            tokens = np.frombuffer(b"".join(parts), np.uint8).astype(np.int32) + NUM_RESERVED
        else:
            lists = _tokens(prepared, self.level, self.length)
            lengths = lists.list.len().to_numpy().astype(np.int64)
            tokens = self._looked_up(lists.explode(empty_as_null=False))
        rows = np.repeat(np.arange(len(texts)), lengths)
        columns = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return rows, columns, tokens

    def _looked_up(self, tokens: pl.Series) -> RawArray:
        import polars as pl

        known = pl.Series(self.vocabulary, dtype=pl.String)
        numbers = pl.Series(range(NUM_RESERVED, self.vocabulary_size), dtype=pl.Int32)
        found = tokens.replace_strict(known, numbers, default=UNKNOWN, return_dtype=pl.Int32)
        return found.to_numpy()

    def as_json(self) -> dict[str, Any]:
        """``{"name", "level", "lowercase", "length", "vocabulary"}``."""
        return {
            "name": self.name,
            "level": self.level,
            "lowercase": self.lowercase,
            "length": self.length,
            "vocabulary": list(self.vocabulary),
        }


def fit_text_encoding(
    name: str, train: RawColumns | CodedTokens, tokens: TokensSection
) -> TextEncoding:
    """The vocabulary of the training examples, of what is left of them after ``tokens.length``.

    Raises:
        DataError: there are not two different tokens.
    """
    vocabulary: tuple[str, ...] = ()
    if tokens.level != "byte":
        counts = token_counts(train, name, tokens)
        vocabulary = _most_frequent(counts, tokens.vocabulary - NUM_RESERVED)
        if len(counts) < 2:
            what = f"all are {quoted(vocabulary[0])}" if vocabulary else "there is none"
            raise DataError(
                f"column {quoted(name)}: the training texts have no two different tokens, {what}",
                key=("data", "text"),
                hint="level: character looks into words" if tokens.level == "word" else None,
            )
    return TextEncoding(name, tokens.level, tokens.lowercase, tokens.length, vocabulary)


def _most_frequent(counts: pl.DataFrame, number: int) -> tuple[str, ...]:
    ordered = counts.sort(["count", "token"], descending=[True, False])
    return tuple(ordered["token"].head(number).to_list())


def token_counts(train: RawColumns | CodedTokens, name: str, tokens: TokensSection) -> pl.DataFrame:
    """``token`` and ``count`` of what is left of the texts after ``tokens.length``."""
    import polars as pl

    if isinstance(train, CodedTokens):
        of_tokens = train.counts()[NUM_RESERVED:]
        frame = pl.DataFrame(
            {"token": pl.Series(train.tokens, dtype=pl.String), "count": of_tokens}
        )
        return frame.filter(frame["count"] > 0)
    texts = train.texts[name]
    counts: list[pl.DataFrame] = []
    for start in range(0, len(texts), _TEXTS_AT_A_TIME):
        block = _prepared(texts.slice(start, _TEXTS_AT_A_TIME), tokens.level, tokens.lowercase)
        found = _tokens(block, tokens.level, tokens.length).explode(empty_as_null=False)
        found = found.alias("token").drop_nulls()
        counts.append(found.filter(found.str.len_chars() <= MAX_TOKEN_LENGTH).value_counts())
    return pl.concat(counts).group_by("token").agg(pl.col("count").sum())


def _prepared(texts: pl.Series, level: TokenLevel, lowercase: bool) -> pl.Series:
    texts = texts.alias("texts").str.strip_chars()
    if lowercase:
        texts = texts.str.to_lowercase()
    return texts if level == "byte" else texts.str.normalize("NFC")


def _tokens(prepared: pl.Series, level: TokenLevel, length: int) -> pl.Series:
    """The first ``length`` tokens of each text, as lists."""
    return prepared.str.extract_all(_PATTERNS[level]).list.head(length)


def text_encoding_from_json(document: dict[str, Any]) -> TextEncoding:
    """Back again. Raises ``ValueError`` naming the entry."""
    match document:
        case {
            "name": str(name),
            "level": str(level),
            "lowercase": bool(lowercase),
            "length": int(length),
            "vocabulary": list(vocabulary),
            **rest,
        } if not rest:
            strict_json.require(level in get_args(TokenLevel), "encoding.level: unknown")
            is_length = type(length) is int and 1 <= length <= MAX_TOKENS
            strict_json.require(is_length, "encoding.length: out of range")
            _require_vocabulary(vocabulary, is_empty=level == "byte")
            return TextEncoding(name, level, lowercase, length, tuple(vocabulary))  # type: ignore[arg-type]  # one of them
    raise ValueError("encoding: expected name, level, lowercase, length and vocabulary")


def _require_vocabulary(vocabulary: Sequence[Any], *, is_empty: bool) -> None:
    what = "encoding.vocabulary"
    if is_empty:
        strict_json.require(not vocabulary, f"{what}: bytes have none")
        return
    strict_json.require(1 <= len(vocabulary) <= MAX_TOKENS, f"{what}: too few tokens, or too many")
    for token in vocabulary:
        is_token = isinstance(token, str) and 1 <= len(token) <= MAX_TOKEN_LENGTH
        strict_json.require(is_token and _is_text(token), f"{what}: expected short texts")
    strict_json.require(len(set(vocabulary)) == len(vocabulary), f"{what}: a token is there twice")


def _is_text(token: str) -> bool:
    """Not half a surrogate pair, which no reader of texts gives."""
    return not any("\ud800" <= character <= "\udfff" for character in token)
