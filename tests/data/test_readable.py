"""Examples as a person reads them, made again from what the model is given."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bmtrain.data.encodings.table_encoding import CategoricalInput, NumericInput, TableEncoding
from bmtrain.data.encodings.text_encoding import TextEncoding
from bmtrain.data.raw.columns import RawColumns
from bmtrain.data.raw.source import Place
from bmtrain.data.readable import model_cells, raw_cells, unseen_categories
from tests.small_checkpoints import preprocessing

COLUMNS = RawColumns(
    {"age": np.array([31, np.nan, 0.1], np.float32)},
    {"sex": pl.Series(["f", None, "m"]), "note": pl.Series(["Read me.", "x", "y"])},
)


@pytest.fixture
def facts():
    return preprocessing().facts


def test_a_row_has_its_cells_again_gaps_and_all(facts):
    encoding = TableEncoding(
        (NumericInput("age", 15.0, has_indicator=True), CategoricalInput("sex", ("f",), True))
    )
    inputs = encoding.encode(COLUMNS, Place("here"))
    rows = [model_cells(replace(facts, encoding=encoding), example) for example in inputs]
    assert rows == [
        (("age", "31"), ("sex", "f")),
        (("age", "(missing)"), ("sex", "(missing)")),
        (("age", "0.1"), ("sex", "(unseen)")),
    ]


def test_a_row_of_the_table_itself_is_shown_as_it_is():
    assert raw_cells(COLUMNS, 0) == (("age", "31"), ("sex", "f"), ("note", "Read me."))
    assert raw_cells(COLUMNS, 1)[:2] == (("age", "(missing)"), ("sex", "(missing)"))


@pytest.mark.parametrize(
    ("level", "vocabulary", "shown"),
    [
        ("word", ("me", "read"), "read me ▯"),
        ("character", ("R", "e", "a", "d", " "), "Read ▯e▯"),
        ("byte", (), "Read me."),
    ],
)
def test_a_text_is_what_the_model_reads_of_it(facts, level, vocabulary, shown):
    encoding = TextEncoding("note", level, level == "word", 12, vocabulary)
    example = encoding.encode(COLUMNS, Place("here"))[0]
    assert model_cells(replace(facts, encoding=encoding), example) == (("note", shown),)


def test_plain_columns_have_their_names_and_pictures_have_none(facts):
    example = np.array([1.5, 2, -3], np.float32)
    assert model_cells(facts, example) == (("a", "1.5"), ("b", "2"), ("c", "-3"))
    assert model_cells(replace(facts, feature_names=None), example) is None


def test_categories_that_training_never_saw_are_counted_by_column():
    encoding = TableEncoding(
        (NumericInput("age", 15.0, has_indicator=True), CategoricalInput("sex", ("f",), True))
    )
    assert unseen_categories(encoding, encoding.encode(COLUMNS, Place("here"))) == {"sex": 1}
    assert unseen_categories(None, np.ones((2, 3))) == {}
