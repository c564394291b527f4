"""Texts become token numbers by stated rules; the vocabulary is the training examples' own."""

import re
import unicodedata
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain import strict_json
from bmtrain.config.sections.data import TokensSection
from bmtrain.data.encodings.encoding import encoding_as_json, encoding_from_json
from bmtrain.data.encodings.text_encoding import TextEncoding, fit_text_encoding
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.source import Place
from bmtrain.errors import DataError

PLACE = Place("reviews.csv", lambda row: row + 2)


def raw(*texts):
    return RawColumns({}, {"text": pl.Series("text", texts, pl.String)})


def fitted(*texts, **settings):
    return fit_text_encoding("text", raw(*texts), TokensSection(**settings))


def encoded(encoding, *texts):
    return encoding.encode(raw(*texts), PLACE).tolist()


def test_words_are_numbered_by_frequency_and_equal_ones_in_the_order_of_their_texts():
    encoding = fitted("b a c", "c b d", "c e", length=4)
    assert encoding.vocabulary == ("c", "b", "a", "d", "e")
    assert encoded(encoding, "a c never b") == [[4, 2, 1, 3]]


def test_a_short_text_is_followed_by_padding_and_a_long_one_loses_its_end():
    encoding = fitted("a b c d", length=3)
    assert encoded(encoding, "a", "c b a b") == [[2, 0, 0], [4, 3, 2]]


def test_what_is_cut_off_is_not_in_the_vocabulary():
    assert fitted("a b z z z", length=2).vocabulary == ("a", "b")


def test_the_vocabulary_is_as_large_as_asked_with_padding_and_unknown():
    encoding = fitted("a a a b b c", vocabulary=4)
    assert encoding.vocabulary == ("a", "b")
    assert encoding.vocabulary_size == 4
    assert encoded(encoding, "c")[0][0] == 1


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop.", ["don't", "stop", "."]),
        ("l’été", ["l’été"]),
        ("'quoted'", ["'", "quoted", "'"]),
        ("a_b 3.5", ["a_b", "3", ".", "5"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # vowel signs are marks
        ("good 😀!", ["good", "😀", "!"]),
        ("中文 字", ["中文", "字"]),
        ("e\u0301t\u00e9", ["\u00e9t\u00e9"]),  # composed
        ("tab\tand\nline", ["tab", "and", "line"]),
    ],
)
def test_a_word_is_letters_digits_and_marks_and_every_other_sign_its_own(text, tokens):
    assert set(fitted(text, "one two").vocabulary) == {*tokens, "one", "two"}
    encoding = fitted(*tokens, "x")
    numbers = encoded(encoding, text)[0][: len(tokens)]
    assert [encoding.vocabulary[number - 2] for number in numbers] == tokens


def test_characters_are_code_points_of_the_composed_text():
    encoding = fitted(
        "e\u0301a", "x\u0323", level="character", length=4
    )  # ẋ below has no code point
    assert set(encoding.vocabulary) == {"\u00e9", "a", "x", "\u0323"}


def test_bytes_are_those_of_utf_8_and_their_vocabulary_is_fixed():
    encoding = fitted("any", level="byte", length=5)
    assert encoding.vocabulary == ()
    assert encoding.vocabulary_size == 258
    assert encoded(encoding, "É!") == [[byte + 2 for byte in "é!".encode()] + [0, 0]]


def test_upper_case_is_kept_where_the_config_says_so():
    assert fitted("A a b", lowercase=False).vocabulary == ("A", "a", "b")


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
            str.strip
        ),
        min_size=2,
    )
)
def test_characters_agree_with_python_s_own_counting(texts):
    prepared = [unicodedata.normalize("NFC", text.strip()) for text in texts]
    counts = Counter("".join(text[:6] for text in prepared))
    if len(counts) < 2:
        return
    encoding = fitted(*texts, level="character", length=6, lowercase=False)
    order = sorted(counts, key=lambda character: (-counts[character], character))
    assert encoding.vocabulary == tuple(order)
    expected = [[order.index(c) + 2 for c in text[:6]] for text in prepared]
    assert encoded(encoding, *texts) == [row + [0] * (6 - len(row)) for row in expected]


@given(st.lists(st.text("abcXY'., ", min_size=1).filter(str.strip), min_size=1))
def test_ascii_words_agree_with_a_regular_expression_of_python(texts):
    words = [re.findall(r"\w+(?:'\w+)*|[^\w\s]", text.lower()) for text in texts]
    counts = Counter(word for text in words for word in text[:5])
    if len(counts) < 2:
        return
    encoding = fitted(*texts, length=5)
    assert encoding.vocabulary == tuple(sorted(counts, key=lambda word: (-counts[word], word)))
    assert encoding.count_tokens(raw(*texts).texts["text"]).tolist() == [len(w) for w in words]


def test_numbers_are_as_small_as_the_vocabulary_allows():
    encoding = fitted(*(f"w{number}" for number in range(70_000)), vocabulary=70_000)
    assert encoding.input_dtype == "int32"
    assert encoded(encoding, "w69997 x")[0][:2] != [1, 1]
    assert fitted("a b").input_dtype == "uint16"


def test_an_overlong_word_is_unknown():
    encoding = fitted("a b " + "x" * 101)
    assert encoding.vocabulary == ("a", "b")
    assert encoded(encoding, "x" * 101)[0][0] == 1


def test_a_vocabulary_of_one_token_is_refused():
    with pytest.raises(DataError, match="no two different tokens, all are 'a'") as caught:
        fitted("a", "a a")
    assert caught.value.key == ("data", "text")


def test_a_vocabulary_with_room_for_one_of_many_tokens_is_what_was_asked_for():
    encoding = fitted("a b", "b c", vocabulary=3)
    assert encoding.vocabulary == ("b",)
    assert encoded(encoding, "a b")[0][:2] == [1, 2]


def test_an_empty_text_is_told_with_its_line():
    encoding = fitted("a b")
    with pytest.raises(DataError, match="the text is empty") as caught:
        encoded(encoding, "a", "  ")
    assert caught.value.where == "reviews.csv, line 3"


def test_an_encoding_travels_as_json():
    for level in ("word", "character", "byte"):
        encoding = fitted("Ä b", "c 😀", level=level, length=7, lowercase=False)
        document = strict_json.decode(strict_json.encode(encoding_as_json(encoding)))
        assert encoding_from_json(document) == encoding


GOOD = {
    "kind": "text",
    "name": "text",
    "level": "word",
    "lowercase": True,
    "length": 4,
    "vocabulary": ["a", "b"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"level": "syllable"},
        {"lowercase": 1},
        {"length": 0},
        {"length": True},
        {"length": 10**6},
        {"vocabulary": []},
        {"vocabulary": ["a", "a"]},
        {"vocabulary": ["a", 3]},
        {"vocabulary": ["a", ""]},
        {"vocabulary": ["a", "x" * 101]},
        {"vocabulary": ["a", "\ud800"]},
        {"vocabulary": "ab"},
        {"level": "byte"},
        {"more": 1},
        {"name": None},
    ],
)
def test_what_a_stranger_writes_is_checked(change):
    good = encoding_from_json(dict(GOOD))
    assert isinstance(good, TextEncoding)
    assert good.vocabulary == ("a", "b")
    with pytest.raises(ValueError, match="encoding"):
        encoding_from_json(GOOD | change)


def test_no_number_is_beyond_the_vocabulary():
    encoding = fitted("a b c", vocabulary=4)
    assert max(map(max, encoded(encoding, "a b c d", "c c"))) < encoding.vocabulary_size
    assert np.dtype(encoding.input_dtype).kind == "u"


def test_a_vocabulary_larger_than_any_config_can_ask_for_is_refused():
    largest = [str(number) for number in range(100_000)]
    assert encoding_from_json(GOOD | {"vocabulary": largest}) is not None
    with pytest.raises(ValueError, match="too many"):
        encoding_from_json(GOOD | {"vocabulary": [*largest, "x"]})
