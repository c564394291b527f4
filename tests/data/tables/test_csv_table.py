import csv
import gzip
import io
import re
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmtrain.config.sections.data import SplitsSection
from bmtrain.data.raw.columns import Beside, number_columns
from bmtrain.data.tables import cell_blocks
from bmtrain.data.tables.table_formats import read_table_examples, read_table_source
from bmtrain.errors import ConfigError, DataError
from tests.table_sections import of_table

FLOWERS = "width,species,height\n1.5,rose,2\n-3e-1,lily,.5\n"


@pytest.fixture
def table(tmp_path):
    def write(text: str | bytes, name: str = "t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def fails(path, message, *, label="y", features=None, error=DataError):
    with pytest.raises(error, match=message) as caught:
        read_table_source(path, of_table(label, features), "csv")
    return caught.value


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6
).filter(lambda text: text == text.strip())
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    names=st.lists(texts, min_size=2, max_size=4, unique=True),
    rows=st.lists(st.tuples(floats, floats, floats, texts), min_size=1, max_size=8),
    line_end=st.sampled_from(["\n", "\r\n"]),
    has_mark=st.booleans(),
    has_blank_line=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_what_python_writes_is_read(
    tmp_path_factory, names, rows, line_end, has_mark, has_blank_line
):
    num_features = len(names) - 1
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(names)
    if has_blank_line:  # such a table is read the slower way, to the same values
        text.write(line_end)
    writer.writerows([*row[:num_features], row[3]] for row in rows)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig" if has_mark else "utf-8", newline="")
    source = read_table_source(path, of_table(names[-1]), "csv")
    assert tuple(c.name for c in source.columns or ()) == tuple(names[:-1])
    part = source.parts["train"]
    assert part.labels == [row[3] for row in rows]
    expected = np.array([row[:num_features] for row in rows], np.float32)
    np.testing.assert_array_equal(part.array, expected)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_changed_bytes_are_a_data_error_and_nothing_else(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated.csv"
    mutated = bytearray(FLOWERS.encode())
    specials = st.sampled_from(list(b'",\n\r\0\xff;#')) | st.integers(0, 255)
    for _ in range(data.draw(st.integers(1, 5))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(specials)
    path.write_bytes(bytes(mutated))
    with suppress(DataError):
        read_table_source(path, of_table("species"), "csv")


def test_every_column_but_the_label_is_a_feature(table):
    source = read_table_source(table(FLOWERS), of_table("species"), "csv")
    assert tuple(c.name for c in source.columns or ()) == ("width", "height")
    assert source.label_name == "species"
    part = source.parts["train"]
    np.testing.assert_array_equal(part.array, np.array([[1.5, 2], [-0.3, 0.5]], np.float32))
    assert part.labels == ["rose", "lily"]


def test_features_choose_columns_and_their_order(table):
    source = read_table_source(table(FLOWERS), of_table("species", ("height",)), "csv")
    np.testing.assert_array_equal(source.parts["train"].array, np.array([[2], [0.5]], np.float32))


def test_spaces_around_names_and_cells_and_blank_lines_are_nothing(table):
    path = table("\n a , y\n\n 1 , p \n\n2,q\n\n")
    part = read_table_source(path, of_table("y"), "csv").parts["train"]
    np.testing.assert_array_equal(part.array, np.array([[1], [2]], np.float32))
    assert part.labels == ["p", "q"]
    assert part.features_at.row(0) == f"{path}, line 4"
    assert part.features_at.row(1) == f"{path}, line 6"


def test_a_row_is_named_by_the_line_it_begins_at(table):
    path = table('a,y\n1,"two\nlines"\n2,q\n')
    part = read_table_source(path, of_table("y"), "csv").parts["train"]
    assert [part.features_at.row(row) for row in (0, 1)] == [f"{path}, line 2", f"{path}, line 4"]


def test_names_that_look_like_patterns_are_names(table):
    source = read_table_source(table("*,^a.*$,ab,y\n1,2,3,p\n"), of_table("y"), "csv")
    assert source.parts["train"].array.tolist() == [[1, 2, 3]]
    source = read_table_source(
        table("*,^a.*$,ab,y\n\n1,2,3,p\n"), of_table("y", ("^a.*$", "*")), "csv"
    )
    assert source.parts["train"].array.tolist() == [[2, 1]]


@pytest.mark.parametrize("name", ["^a.*$", "^(?x)[$", "*", "^b$", "$"])
@pytest.mark.parametrize("blank", ["", "\n"])
def test_a_label_may_have_a_name_that_looks_like_a_pattern(table, name, blank):
    path = table(f"b,{name}\n{blank}1,p\n2, q\n")
    (part,) = read_table_source(path, of_table(name), "csv").parts.values()
    assert part.array.tolist() == [[1], [2]]
    assert part.labels == ["p", "q"]


@pytest.mark.parametrize("name", ["^a.*$", "^(?x)[$", "*", "^b$", "$"])
def test_a_bad_cell_is_found_under_any_name(table, name):
    for cell, message in (("x", "expected a number, got 'x'"), ("1e40", "1e40 is too large")):
        path = table(f"{name},y\n1,p\n2,p\n{cell},q\n")
        fails(path, f"line 4: column {re.escape(repr(name))}: {message}")


def test_labels_without_features_are_read_the_slow_way_too(table):
    part = read_table_examples(table("y\n1\n\n 2\n"), (), Beside("y"), "csv")
    assert part.array.shape == (2, 0)
    assert part.labels == ["1", "2"]


@pytest.mark.parametrize("cells_at_a_time", [1, 7, 1 << 20])
def test_how_many_cells_are_taken_at_a_time_never_shows(table, monkeypatch, cells_at_a_time):
    monkeypatch.setattr(cell_blocks, "_CELLS_AT_A_TIME", cells_at_a_time)
    rows = [[f"{row}.{column}" for column in range(9)] for row in range(3)]
    lines = ["a,b,c,d,e,f,g,h,y", "", *(" , ".join(row) for row in rows)]
    (part,) = read_table_source(table("\n".join(lines)), of_table("y"), "csv").parts.values()
    assert part.array.tolist() == np.array([row[:8] for row in rows], np.float32).tolist()
    assert part.labels == ["0.8", "1.8", "2.8"]
    lines[3] = lines[3].replace("1.6", "x")
    lines[4] = lines[4].replace("2.6", "z").replace("2.7", "y")
    fails(table("\n".join(lines)), "line 4: column 'g' holds texts .'x'")


def test_a_header_that_begins_like_compressed_data_is_a_header(table):
    source = read_table_source(table("x^2,y\n1,2\n"), of_table("y"), "csv")
    assert tuple(c.name for c in source.columns or ()) == ("x^2",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,y\n1,p\nx,q\n", "line 3: column 'a': expected a number, got 'x'"),
        ("a,y\nu,p\nv,q\n", "line 2: column 'a' holds texts"),
        ("a,b,y\n1,2,p\n3,p\n", "line 3: expected 3 cells, got 2"),
        ("a,y\n1,p\nNaN,q\n", "line 3: column 'a': expected a finite number, got 'NaN'"),
        ("a,y\n1,p\n-inf,q\n", "line 3: column 'a': expected a finite number, got '-inf'"),
        ("a,y\n1,p\n1e39,q\n", "line 3: column 'a': 1e39 is too large for float32"),
        ("a,y\n1,p\n,q\n", "line 3: column 'a': the cell is empty"),
        ("a,y\n1,p\n  ,q\n", "line 3: column 'a': the cell is empty"),
        ("a,y\n1,p\n2,\n", "line 3: column 'y': the cell is empty"),
        ("a,y\n1,p\n,\n", "line 3: column 'a': the cell is empty"),
        ("a,y\n\n\n1,p\n2\n", "line 5: expected 2 cells, got 1"),
        ("a,b,y\n1,1,p\n\n2,1,q,7\n", "line 4: expected 3 cells, got 4"),
        ('a,y\n1,p"3\n4,5\n6,7"8\n', "line 2: there is a quote in the middle of a cell"),
        ("a,y\n", "a header and no rows"),
        ("a,y\n\n\n", "a header and no rows"),
        ("", "the file is empty"),
        ("\n\n", "column 1 has no name"),
        (",a,y\n0,1,2\n", "line 1: column 1 has no name.*index=False"),
        ("a,a,y\n0,1,2\n", "line 1: the column name 'a' is there twice"),
        ("1.5,1.5,y\n0,1,2\n", "'1.5' is there twice.*header line missing"),
        ("1,2\n3,4\n", "there is no column 'y'; the columns are: 1, 2.*header line missing"),
        ("a,b\n3,4\n", "there is no column 'y'; the columns are: a, b$"),
        (b"a,y\n1,\xff\n", "this is not a CSV table|expected UTF-8"),
        (b"a\xff,y\n1,2\n", "expected UTF-8 text, got the byte ff"),
        (b"a,y\n1,\xc3\xb6\n2,x\xf6\n", "line 3: expected UTF-8 text, got the byte f6"),
        (gzip.compress(b"a,y\n1,2\n", mtime=0), "expected UTF-8 text, got the byte 8b"),
        ('"' + "a" * 200_000 + '",y\n1,2\n', "not a CSV table: field larger"),
        ("y\n1\n", "no column beside the label"),
    ],
)
def test_bad_tables_name_the_line_and_the_column(table, text, message):
    path = table(text)
    error = fails(path, f"(?s){message}")
    assert error.where is None or str(path) in error.where


LONG = "x" * 50_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a,y\n1,1\n2,1\n{LONG},1\n", "column 'a': expected a number, got 'x"),
        (f"a,y\n{LONG},1\n", "column 'a' holds texts ..x"),
        (f"a,b,y\n{LONG},{LONG},1\n", "columns 'a', 'b' hold texts ..x"),
        (f"a,y\n{'9' * 50_000},1\n", "column 'a': expected a finite number, got '9"),
        (f"a,y\n1e39{' ' * 50_000}z,1\n", "column 'a' holds texts ..1e39"),
        (f"a,y\n0{'9' * 5000}.1e-4950,1\n", "column 'a': 09.* is too large for float32"),
        (f'a,y\n1,1\n2,1\n"{"9" * 3}{",999" * 50_00}",1\n', "column 'a': expected a number"),
        (f"{LONG},y\n1,1\n2,1\nz,1\n", "column 'x.*: expected a number, got 'z'"),
        (f"{LONG},{LONG}\n1,1\n", "the column name 'x.*is there twice"),
        (f"{LONG},{LONG}z\n1,1\n", "there is no column 'y'; the columns are: x"),
        (f'a,y\n1,"{LONG}', "a quote is opened and not closed"),
    ],
)
def test_a_cell_as_long_as_the_file_is_not_shown_whole(table, text, message):
    error = fails(table(text), message)
    assert len(f"{error.message}{error.hint}") < 500


def test_a_missing_label_column_points_at_the_config_with_the_nearest_name(table):
    error = fails(table(FLOWERS), "no column 'specie'.*did you mean 'species'", label="specie")
    assert error.key == ("data", "label")


def test_the_nearest_column_is_found_in_other_case(table):
    fails(table(FLOWERS), "did you mean 'species'", label="SPECIES")


def test_a_table_without_a_label_setting_is_a_config_error_that_lists_the_columns(table):
    error = fails(table(FLOWERS), "width, species, height", label=None, error=ConfigError)
    assert error.key == ("data", "label")


@pytest.mark.parametrize(
    ("features", "message", "error", "index"),
    [
        (("width", "heigth"), "did you mean 'height'", DataError, 1),
        (("width", "species"), "'species' is the label", ConfigError, 1),
        (("width", "height", "width"), "'width' is listed twice", ConfigError, 2),
    ],
)
def test_wrong_features_point_at_their_place_in_the_config(table, features, message, error, index):
    found = fails(table(FLOWERS), message, label="species", features=features, error=error)
    assert found.key == ("data", "features", index)


def test_a_category_that_is_something_else_is_told_what_it_is(table):
    section = of_table("height", None).model_copy(
        update={
            "categorical": ("species",),
            "splits": SplitsSection(group="species"),
        }
    )
    with pytest.raises(ConfigError, match="'species' is the group of the examples") as caught:
        read_table_source(table(FLOWERS), section, "csv")
    assert caught.value.key == ("data", "categorical", 0)


def test_time_grows_with_the_columns_and_not_with_their_square(table):
    """By the square, 50,000 columns would take a minute."""
    names = [f"feature_{number}" for number in range(50_000)]
    row = ",".join(["1"] * 50_000)
    path = table(f"{','.join(names)},y\n{row},p\n{row},q\n")
    began = time.perf_counter()
    source = read_table_source(path, of_table("y"), "csv")
    fails(path, "'feature_7' is listed twice", features=(*names, names[7]), error=ConfigError)
    assert time.perf_counter() - began < 20
    assert source.parts["train"].array.shape == (2, 50_000)


def test_a_directory_has_train_and_the_splits_that_are_there(table, tmp_path):
    table(FLOWERS, "train.csv")
    table("species,extra,height,width\nrose,?,1,2\n", "test.csv")
    source = read_table_source(tmp_path, of_table("species"), "csv")
    assert list(source.parts) == ["train", "test"]
    np.testing.assert_array_equal(source.parts["test"].array, np.array([[2, 1]], np.float32))
    table("species,height\nrose,1\n", "validation.csv")
    error = fails(tmp_path, "there is no column 'width'", label="species")
    assert error.where == str(tmp_path / "validation.csv")


def test_a_directory_without_train_is_a_data_error(table, tmp_path):
    table(FLOWERS, "test.csv")
    fails(tmp_path, "train.csv is missing")


def test_examples_are_found_by_name_and_need_no_label(table, tmp_path):
    path = table("height,id,width\n2,x,1\n")
    part = read_table_examples(path, number_columns(("width", "height")), Beside(), "csv")
    np.testing.assert_array_equal(part.array, np.array([[1, 2]], np.float32))
    assert part.labels is None
    table("width,height\n3,4\n", "train.csv")
    part = read_table_examples(tmp_path, number_columns(("width", "height")), Beside(), "csv")
    np.testing.assert_array_equal(part.array, np.array([[3, 4]], np.float32))
    table("width,height\n5,6\n", "test.csv")
    part = read_table_examples(tmp_path, number_columns(("width", "height")), Beside(), "csv")
    np.testing.assert_array_equal(part.array, np.array([[5, 6]], np.float32))


def test_a_table_larger_than_memory_is_refused(table, monkeypatch):
    monkeypatch.setattr("bmtrain.data.raw.memory.available_memory", lambda: 100)
    fails(table(FLOWERS), "100 bytes are available", label="species")


def test_a_large_table_keeps_its_rows_in_order(table):
    rows = np.arange(30_000)
    path = table("a,y\n" + "".join(f"{row},{row % 7}\n" for row in rows))
    part = read_table_source(path, of_table("y"), "csv").parts["train"]
    np.testing.assert_array_equal(part.array[:, 0], rows.astype(np.float32))
    assert part.labels == [str(row % 7) for row in rows]
