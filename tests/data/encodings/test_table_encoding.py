"""Categories become one-hot inputs and gaps are filled, by the training examples alone."""

import json

import numpy as np
import polars as pl
import pytest

from bmtrain.data.encodings import table_encoding
from bmtrain.data.encodings.encoding import encoding_as_json, encoding_from_json
from bmtrain.data.encodings.table_encoding import NumericInput, TableEncoding
from bmtrain.data.examples.normalization import fit_preprocessing
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.errors import ConfigError, DataError

ROWS = """species,length,island,sex
a,1.5,north,m
b,2.5,south,f
a,NA,north,
b,3.5,,f
a,,east,m
b,0.5,north,f
"""


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(ROWS)
    return path


def loaded(path, section, **keys):
    keys = {"label": "species", "categorical": ("island", "sex"), **keys}
    return load_dataset(section(path, **keys), task="classification", seed=0)


def by_polars(**numbers):
    """The inputs, computed by Polars from the same text."""
    frame = pl.read_csv(ROWS.encode(), null_values="NA")
    columns = {"length": frame["length"].fill_null(numbers["fill"])}
    for name, marks in (("island", ["east", "north", "south"]), ("sex", ["f", "m"])):
        columns |= {
            f"{name}={mark}": (frame[name] == mark).fill_null(value=False) for mark in marks
        }
        columns[f"{name}=(unseen)"] = pl.Series([False] * frame.height)
        columns[f"{name}=(missing)"] = frame[name].is_null()
    return pl.DataFrame(columns).cast(pl.Float32)


@pytest.mark.parametrize("missing", ["mean", "median"])
def test_a_category_is_one_hot_and_a_missing_number_is_the_training_examples(
    flowers, section, missing
):
    dataset = loaded(flowers, section, missing=missing)
    expected = by_polars(fill={"mean": 2.0, "median": 2.0}[missing])
    assert dataset.facts.feature_names == tuple(expected.columns)
    np.testing.assert_array_equal(dataset.splits["train"].features, expected.to_numpy())


def test_an_indicator_says_which_numbers_were_missing(flowers, section):
    dataset = loaded(flowers, section, missing="indicator")
    names = dataset.facts.feature_names
    indicator = dataset.splits["train"].features[:, names.index("length=(missing)")]
    assert indicator.tolist() == [0, 0, 1, 0, 1, 0]


def test_a_missing_cell_is_an_error_unless_the_config_says_what_it_becomes(flowers, section):
    with pytest.raises(DataError, match="cells in 3 columns") as caught:
        loaded(flowers, section)
    assert "line" in str(caught.value.where)


def test_a_category_that_no_training_example_has_is_unseen(flowers, section, tmp_path):
    facts = loaded(flowers, section, missing="mean").facts
    path = tmp_path / "new.csv"
    path.write_text("sex,island,length\nx,west,1\nm,north,?\n")
    examples = load_examples(path, facts, labels="optional")
    new, known = (
        {name for name, value in zip(facts.feature_names, row, strict=True) if value}
        for row in examples.features
    )
    assert new == {"length", "island=(unseen)", "sex=(unseen)"}
    assert known == {"length", "island=north", "sex=m"}


def test_categories_and_fills_come_from_the_training_split_alone(section, tmp_path):
    rows = [f"{'ab'[i % 2]},{i},only-{i}" for i in range(40)]
    path = tmp_path / "t.csv"
    path.write_text("y,x,who\n" + "\n".join(rows) + "\n")
    keys = {"categorical": ("who",), "splits": {"test": 0.5}, "missing": "mean"}
    dataset = load_dataset(section(path, label="y", **keys), task="classification", seed=0)
    test = dataset.splits["test"].array
    unseen = list(dataset.facts.feature_names or ()).index("who=(unseen)")
    encoding = dataset.facts.encoding
    assert isinstance(encoding, TableEncoding)
    assert encoding.inputs[1].input_names[-1] == "who=(missing)"
    assert len(encoding.inputs[1].input_names) == 20 + 2
    assert test[:, unseen].tolist() == [1.0] * 20
    fill = dataset.splits["train"].array[:, 0].mean()
    assert isinstance(encoding.inputs[0], NumericInput)
    assert encoding.inputs[0].fill == pytest.approx(fill)


def test_an_encoding_survives_json(flowers, section):
    encoding = loaded(flowers, section, missing="indicator").facts.encoding
    assert encoding_from_json(json.loads(json.dumps(encoding_as_json(encoding)))) == encoding


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pickle"},
        {"inputs": []},
        {"inputs": [{"name": "x", "fill": "1", "has_indicator": False}]},
        {"inputs": [{"name": "x", "categories": ["a", "a"], "may_be_missing": False}]},
        {"inputs": [{"name": "x", "fill": 1e300, "has_indicator": False}]},
        {"more": 1},
    ],
)
def test_a_strangers_encoding_is_refused_where_it_is_none(flowers, section, change):
    document = encoding_as_json(loaded(flowers, section, missing="mean").facts.encoding)
    with pytest.raises(ValueError, match="encoding"):
        encoding_from_json({**(document or {}), **change})


def test_a_categorical_column_must_be_a_feature(flowers, section):
    with pytest.raises(ConfigError, match="no feature") as caught:
        loaded(flowers, section, categorical=("iland",), missing="mean")
    assert caught.value.hint == "did you mean 'island'?"
    assert caught.value.key == ("data", "categorical", 0)


def test_numbers_are_scaled_and_categories_stay_zero_and_one(flowers, section):
    dataset = loaded(flowers, section, missing="indicator")
    preprocessing = fit_preprocessing(dataset, "standardize")
    values = dataset.splits["train"].features
    scaled = (values - preprocessing.offset) * preprocessing.scale
    np.testing.assert_allclose(scaled[:, 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(scaled[:, 0].std(), 1, rtol=1e-6)
    np.testing.assert_array_equal(scaled[:, 1:], values[:, 1:])


def test_a_column_of_more_values_than_can_be_categories_is_told_at_its_key(
    flowers, section, monkeypatch
):
    monkeypatch.setattr(table_encoding, "MAX_CATEGORIES", 2)
    with pytest.raises(DataError, match=r"column 'island' has 3 different values") as caught:
        loaded(flowers, section, missing="mean")
    assert caught.value.key == ("data", "categorical")
