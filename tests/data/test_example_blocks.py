"""Examples block by block are those of the whole file, wherever the blocks end."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data import example_blocks as module
from bmtrain.data.example_blocks import STDIN, example_blocks, examples_in
from bmtrain.data.examples.dataset import DataFacts
from bmtrain.data.raw.columns import Beside, number_columns
from bmtrain.data.tables import csv_blocks as blocks_of_csv
from bmtrain.data.tables.table_formats import read_table_examples
from bmtrain.errors import DataError


def facts(shape, dtype, names=None):
    return DataFacts(
        task="classification",
        input_shape=shape,
        input_dtype=dtype,
        class_names=("a", "b"),
        num_outputs=2,
        feature_names=names,
        label_name="label" if names else None,
        num_train_examples=10,
        fingerprint="",
    )


PICTURES = facts((2, 3), "uint8")
TABLE = facts((2,), "float32", ("x", "y"))


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of eight rows, read four at a time; of a table some ten bytes at a time."""
    monkeypatch.setattr(module, "BLOCK_SIZE", 4)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 8 * 6)
    monkeypatch.setattr(blocks_of_csv, "BLOCK_BYTES", 10)


def pictures(num_rows):
    return np.random.default_rng(0).integers(0, 256, (num_rows, 2, 3), dtype=np.uint8)


def idx(values):
    header = bytes([0, 0, 8, values.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in values.shape) + values.tobytes()


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def write(path, values):
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez_compressed(path, x=values, other=values[:1])
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(idx(values)))
    else:
        path.write_bytes(idx(values))
    return path


FILES = ("a.npy", "a.npz", "a-ubyte", "a-ubyte.gz")


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("num_rows", [1, 4, 8, 9, 31])
@pytest.mark.parametrize("name", FILES)
def test_arrays_come_whole_in_blocks_of_a_multiple_of_rows(tmp_path, name, num_rows):
    values = pictures(num_rows)
    path = write(tmp_path / name, values)
    found = [block.features for block in example_blocks(path, PICTURES)]
    np.testing.assert_array_equal(np.concatenate(found), values)
    assert {len(block) % 4 for block in found[:-1]} <= {0}
    assert max(map(len, found)) <= 8


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("as_bytes", [idx, npy, lambda values: gzip.compress(idx(values))])
def test_a_pipe_gives_what_its_file_would(as_bytes):
    values = pictures(21)
    stdin = io.BufferedReader(io.BytesIO(as_bytes(values)))
    found = [block.features for block in example_blocks(STDIN, PICTURES, stdin=stdin)]
    np.testing.assert_array_equal(np.concatenate(found), values)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_told_before_its_end_is_passed_off_as_whole(tmp_path, name):
    path = write(tmp_path / name, pictures(50))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"truncated|damaged|archive"):
        list(example_blocks(path, PICTURES))


@pytest.mark.usefixtures("small_blocks")
def test_an_error_in_a_later_block_names_the_row_of_the_file(tmp_path):
    values = np.zeros((30, 2), np.float32)
    values[21, 1] = np.nan
    path = write(tmp_path / "a.npy", values)
    with pytest.raises(DataError) as caught:
        list(example_blocks(path, facts((2,), "float32")))
    assert caught.value.where == f"{path}[21]"


cells = st.sampled_from(["1", "-2.5", " 3", '"4"', "1e3"])
others = st.sampled_from(["", "plain", '"with, comma"', '"two\nlines"', '"a ""quote"""'])


@given(
    rows=st.lists(st.tuples(cells, others, cells), min_size=1, max_size=30),
    line_end=st.sampled_from(["\n", "\r\n"]),
    has_end=st.booleans(),
    mark=st.sampled_from(["", "\ufeff"]),
    block_bytes=st.integers(1, 60),
)
def test_a_table_in_blocks_is_the_table(
    tmp_path_factory, rows, line_end, has_end, mark, block_bytes
):
    lines = ["x,note,y", *(",".join(row) for row in rows)]
    text = mark + line_end.join(lines) + (line_end if has_end else "")
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_bytes(text.encode())
    expected = read_table_examples(path, number_columns(("x", "y")), Beside(), "csv").features
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_of_csv, "BLOCK_BYTES", block_bytes)
        found = [b.features for b in example_blocks(path, TABLE, ignore_unknown=True)]
    np.testing.assert_array_equal(np.concatenate(found), expected)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("x,y\n" + "1,2\n" * 20 + "1,\n", "line 22", "the cell is empty"),
        ("x,y\n" + "1,2\n" * 20 + "1,2,3\n", "line 22", "expected 2 cells, got 3"),
        ("x,y\n" + "1,2\n" * 20 + "one,2\n" * 9, "line 22", "expected a number|holds texts"),
        ('x,note,y\n1,"a\nb",2\n' + "1,c,2\n" * 20 + "1,c,\n", "line 24", "the cell is empty"),
        ("x,y\n\n1,2\n\n\n1,nan\n", "line 6", "expected a finite number"),
        ("x,y\n1,2\n1,2\n1,2\n1,\xe9\n", "line 5", "expected UTF-8|expected a number"),
        ("x,y\n", None, "a header and no rows"),
        ("", None, "the file is empty"),
        ("x,z\n1,2\n", None, "there is no column 'y'"),
    ],
)
def test_what_is_wrong_in_a_later_block_has_the_files_own_line(tmp_path, text, where, message):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=message) as caught:
        list(example_blocks(path, TABLE, ignore_unknown=True))
    expected = str(path) if where is None else f"{path}, {where}"
    assert caught.value.where == expected


@pytest.mark.usefixtures("small_blocks")
def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks_of_csv, "_MAX_RECORD_BYTES", 100)
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "1,2\n" * 10 + '"1,2\n' + "1,2\n" * 1000)
    with pytest.raises(DataError, match="quote is opened and not closed") as caught:
        list(example_blocks(path, TABLE))
    assert caught.value.where == f"{path}, line 12"


def test_what_a_pipe_cannot_hold_is_told():
    for content, words in (
        (b"", "nothing to read"),
        (b"PK\x03\x04....", "cannot be read from a pipe"),
    ):
        stdin = io.BufferedReader(io.BytesIO(content))
        with pytest.raises(DataError, match=words) as caught:
            list(example_blocks(STDIN, PICTURES, stdin=stdin))
        assert caught.value.where == "standard input"


def test_a_directory_stands_for_its_data_files_in_order(tmp_path):
    for name in ("b.csv", "a.csv", "notes.txt", ".hidden.csv"):
        (tmp_path / name).write_text("x,y\n1,2\n")
    np.save(tmp_path / "c.npy", pictures(1))
    assert [path.name for path in examples_in([tmp_path, STDIN])] == [
        "a.csv",
        "b.csv",
        "c.npy",
        "-",
    ]
    (tmp_path / "split").mkdir()
    (tmp_path / "split" / "test.csv").write_text("x,y\n1,2\n")
    assert examples_in([tmp_path / "split"]) == [tmp_path / "split"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no data: expected files of examples"):
        examples_in([tmp_path / "empty"])
