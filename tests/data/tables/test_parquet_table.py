"""A Parquet table is the CSV table of the same cells."""

import io

import numpy as np
import polars as pl
import pytest

from bmtrain.data.example_blocks import STDIN, example_blocks
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.load import load_dataset, load_examples
from bmtrain.errors import ConfigError, DataError

FRAME = pl.DataFrame(
    {
        "length": [1.5, 2.5, 3.25, None, 0.1, 9.0],
        "count": pl.Series([1, 2, 3, 4, 5, 6], dtype=pl.Int16),
        "island": ["north", "south", None, "north", "east", "south"],
        "wild": [True, False, True, True, False, False],
        "species": ["a", "b", "a", "b", "a", "b"],
    }
)
KEYS = {"label": "species", "categorical": ("island",), "missing": "mean"}


def loaded(path, section, **keys):
    return load_dataset(section(path, **{**KEYS, **keys}), task="classification", seed=0)


def test_a_parquet_table_gives_the_inputs_of_the_csv_table(tmp_path, section):
    FRAME.write_parquet(tmp_path / "t.parquet")
    FRAME.with_columns(pl.col("wild").cast(pl.Int8)).write_csv(tmp_path / "t.csv")
    parquet, csv = loaded(tmp_path / "t.parquet", section), loaded(tmp_path / "t.csv", section)
    assert parquet.facts == csv.facts
    np.testing.assert_array_equal(
        parquet.splits["train"].features, csv.splits["train"].features, strict=True
    )


def test_a_table_of_numbers_is_one_array_whatever_their_types(tmp_path, section):
    frame = FRAME.select("count", "wild", "species")
    frame.write_parquet(tmp_path / "t.parquet")
    dataset = loaded(tmp_path / "t.parquet", section, categorical=(), missing="error")
    expected = frame.select(pl.col("count", "wild").cast(pl.Float32)).to_numpy()
    np.testing.assert_array_equal(dataset.splits["train"].features, expected)
    assert dataset.facts.encoding is None


def test_a_directory_holds_a_table_for_each_split(tmp_path, section):
    FRAME.write_parquet(tmp_path / "train.parquet")
    columns = ["species", "wild", "island", "count", "length"]  # in another order
    FRAME.head(2).select(columns).write_parquet(tmp_path / "test.parquet")
    dataset = loaded(tmp_path, section)
    np.testing.assert_array_equal(
        dataset.splits["test"].features, dataset.splits["train"].features[:2]
    )
    examples = load_examples(tmp_path, dataset.facts, labels="required")
    assert examples.labels is not None
    assert examples.labels.tolist() == [0, 1]


def test_blocks_are_the_whole_table(tmp_path, monkeypatch, section):
    FRAME.write_parquet(tmp_path / "t.parquet")
    dataset = loaded(tmp_path / "t.parquet", section)
    monkeypatch.setattr("bmtrain.data.tables.parquet_table.BLOCK_ROWS", 4)
    blocks = [block.features for block in example_blocks(tmp_path / "t.parquet", dataset.facts)]
    np.testing.assert_array_equal(np.concatenate(blocks), dataset.splits["train"].features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": [1.0, 2.0, float("nan"), 4.0, 5.0, 6.0]}, "column 'length': the cell is empty"),
        ({"length": ["1", "2", "x", "4", "5", "6"]}, "column 'length': expected a number, got 'x'"),
        ({"length": [[1.0]] * 6}, "column 'length' holds List"),
        ({"species": [None, *"abaab"]}, "column 'species': the cell is empty"),
    ],
)
def test_a_cell_that_cannot_be_used_is_told_with_its_row(tmp_path, section, change, message):
    frame = FRAME.with_columns(pl.lit(1.0).alias("length"), pl.lit("x").alias("island"))
    path = tmp_path / "t.parquet"
    frame.with_columns(
        **{name: pl.Series(values) for name, values in change.items()}
    ).write_parquet(path)
    with pytest.raises(DataError) as caught:
        loaded(path, section, missing="error")
    assert caught.value.message.startswith(message)
    assert str(caught.value.where).startswith(str(path))


def test_what_is_no_parquet_file_is_told_in_one_line(tmp_path, section):
    path = tmp_path / "t.parquet"
    FRAME.write_parquet(path)
    whole = path.read_bytes()
    for content in (b"PAR1", whole[: len(whole) // 2], b"length,species\n1,a\n2,b\n"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not an intact Parquet file") as caught:
            loaded(path, section)
        assert "\n" not in str(caught.value)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="the file is empty"):
        loaded(path, section)


def test_a_missing_column_is_told_with_the_nearest_one(tmp_path, section):
    path = tmp_path / "t.parquet"
    FRAME.write_parquet(path)
    with pytest.raises(DataError, match="no column 'lenght'") as caught:
        loaded(path, section, features=("lenght", "island"))
    assert caught.value.hint == "did you mean 'length'?"
    with pytest.raises(ConfigError, match="a table needs"):
        loaded(path, section, label=None)


def test_rows_that_no_memory_holds_are_refused_before_they_are_read(tmp_path, section, monkeypatch):
    path = tmp_path / "t.parquet"
    pl.DataFrame(
        {"x": pl.repeat(1.0, 1_000_000, eager=True), "y": pl.repeat("a", 1_000_000, eager=True)}
    ).write_parquet(path)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr("bmtrain.data.raw.memory.available_memory", lambda: 50_000_000)
    with pytest.raises(DataError, match="memory"):
        loaded(path, section, label="y", categorical=())


def test_a_parquet_file_cannot_come_through_a_pipe():
    facts = DataFacts("regression", (1,), "float32", None, 1, ("x",), "y", 1, "")
    stdin = io.BufferedReader(io.BytesIO(b"PAR1...."))
    with pytest.raises(DataError, match="parquet cannot be read from a pipe"):
        next(example_blocks(STDIN, facts, stdin=stdin))
