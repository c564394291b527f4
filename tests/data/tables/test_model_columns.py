"""A column that the model does not know is refused by name, however the table is read."""

import io

import pytest

from bmtrain.data.example_blocks import STDIN, example_blocks
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.load import load_examples
from bmtrain.errors import DataError

FLOWERS = DataFacts(
    task="classification",
    input_shape=(2,),
    input_dtype="float32",
    class_names=("lily", "rose"),
    num_outputs=2,
    feature_names=("width", "height"),
    label_name="species",
    num_train_examples=4,
    fingerprint="",
)


def whole(path, **options):
    return load_examples(path, FLOWERS, labels="optional", **options).features.tolist()


def in_blocks(path, **options):
    return [row for b in example_blocks(path, FLOWERS, **options) for row in b.features.tolist()]


def from_a_pipe(path, **options):
    stdin = io.BufferedReader(io.BytesIO(path.read_bytes()))
    blocks = example_blocks(STDIN, FLOWERS, stdin=stdin, **options)
    return [row for block in blocks for row in block.features.tolist()]


@pytest.fixture(params=[whole, in_blocks, from_a_pipe])
def read(request):
    return request.param


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "t.csv"
        path.write_text(text)
        return path

    return write


def test_an_unknown_column_is_named_with_its_place_and_the_nearest(read, table):
    path = table("height,hight,width\n2,9,1\n")
    with pytest.raises(DataError) as caught:
        read(path)
    name = "standard input" if read is from_a_pipe else str(path)
    assert caught.value.where == f"{name}, line 1"
    message = "the model does not know the column 'hight'; the nearest it knows: 'height'"
    assert caught.value.message == message
    assert "--ignore-unknown-columns" in str(caught.value.hint)


def test_of_several_the_first_is_named_and_the_others_counted(read, table):
    with pytest.raises(DataError, match=r"the column 'zzz' \(and 2 more\); it knows: width, "):
        read(table("width,zzz,height,a,b\n1,9,2,9,9\n"))


def test_unknown_columns_pass_where_that_is_asked_for(read, table):
    assert read(table("a,height,width\nx,2,1\n"), ignore_unknown=True) == [[1, 2]]


def test_the_label_may_be_there(read, table):
    assert read(table("species,height,width\nrose,2,1\n")) == [[1, 2]]


def test_a_missing_column_is_told_before_an_unknown_one(read, table):
    """Of a misspelt column both are true, and what is missing says more."""
    with pytest.raises(DataError, match="there is no column 'height'") as caught:
        read(table("width,hieght\n1,2\n"))
    assert caught.value.hint == "did you mean 'hieght'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width,height\n1,2\n3\n", "expected 2 cells, got 1"),
        ("width,height\n1,2\n3,\n", "the cell is empty"),
    ],
)
def test_a_missing_cell_is_told_with_its_line(read, table, text, message):
    with pytest.raises(DataError, match=message) as caught:
        read(table(text))
    assert str(caught.value.where).endswith(", line 3")


@pytest.mark.parametrize("read_file", [whole, in_blocks])
def test_parquet_tables_are_asked_the_same(tmp_path, read_file):
    import polars as pl

    path = tmp_path / "t.parquet"
    pl.DataFrame({"hight": [9.0], "height": [2.0], "width": [1.0]}).write_parquet(path)
    with pytest.raises(DataError, match="the model does not know the column 'hight'") as caught:
        read_file(path)
    assert caught.value.where == str(path)
    assert read_file(path, ignore_unknown=True) == [[1, 2]]
