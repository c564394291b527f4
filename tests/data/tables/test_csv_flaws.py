import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data.raw.columns import Beside, number_columns
from bmtrain.data.tables.csv_flaws import quoting_flaw
from bmtrain.data.tables.csv_rows import malformed
from bmtrain.data.tables.table_formats import read_table_examples, read_table_source
from bmtrain.errors import DataError
from tests.table_sections import of_table

cells = st.text(st.sampled_from('a",\n\r é'), max_size=4)


@pytest.fixture
def fails(tmp_path):
    def check(text: str | bytes, message: str, *, line: int | None, label="y") -> DataError:
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(DataError) as caught:
            read_table_source(path, of_table(label), "csv")
        assert re.search(message, caught.value.message)
        assert caught.value.where == (f"{path}, line {line}" if line else str(path))
        assert caught.value.hint is not None
        return caught.value

    return check


@given(st.lists(st.lists(cells, min_size=1, max_size=3), max_size=4))
def test_what_python_writes_has_no_quoting_flaw(rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    assert quoting_flaw(text.getvalue().encode()) is None


@given(st.text(st.sampled_from('a",\n'), max_size=12))
def test_what_has_no_quoting_flaw_is_read_by_pythons_strict_reader(text):
    if quoting_flaw(text.encode()) is None:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        again = io.StringIO()
        csv.writer(again, lineterminator="\n").writerows(rows)
        assert list(csv.reader(io.StringIO(again.getvalue(), newline=""))) == rows


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('a,y\n1,p\n2,"setosa\n3,q\n4,r\n', 3, 'a quote is opened and not closed: "setosa$'),
        ('a,y\n1,p\n"2,q\n3,q\n', 3, 'a quote is opened and not closed: "2$'),
        ('a,"y\n1,p\n2,q\n', 1, 'a quote is opened and not closed: "y$'),
        ('a,y\n1,"p\n2,"q\n3,r\n', 2, '"p … "q in line 3$'),
        ('a,y\n1,p\n2,5" pipe\n3,q\n', 3, 'a quote in the middle of a cell: 5" pipe$'),
        ('a,y\n1,p\n2,"5" pipe"\n3,q\n', 3, 'a quote in the middle of a cell: "5" pipe"$'),
        ('a,y\n1,p\n2,"5" pipe\n3,q\n', 3, 'a quote in the middle of a cell: "5" pipe$'),
        ('a,b,y\n1,5" pipe,p\n2,3,q\n', 2, 'a quote in the middle of a cell: 5" pipe$'),
        ('a,y\n1,p,\n2,"setosa\n', 2, "expected 2 cells, got 3$"),
        ('a,y\n1,"setosa\n2,p,\n', 2, "a quote is opened and not closed"),
        ('a,"y\n' + "1,2\n" * 40_000, 1, 'a quote is opened and not closed: "y$'),
    ],
)
def test_a_stray_quote_is_told_with_its_line(fails, text, line, message):
    fails(text, message, line=line)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a,b,y\n1,2,p\n1,2,3,p\n1,2,p\n", 3, "expected 3 cells, got 4$"),
        (
            "a,b,y\n1,2,3,p\n1,2,p\n1,2,3,p\n",
            2,
            "expected 3 cells, got 4; 1 more row has not 3, either$",
        ),
        ("a,b,y\n1,p\n1,2,p\n" + "1,p\n" * 12, 2, "got 2; 12 more rows have not 3, either$"),
        ("a,b,y\n1,p\n1,2,p\n1,2,3,4,p\n\n", 2, "got 2; 1 more row has not 3, either$"),
        # What follows a stray quote is wrong because of it.
        ('a,b,y\n1,p\n1,p\n1,"2,p\n1,p\n', 2, "got 2; 1 more row has not 3, either$"),
    ],
)
def test_rows_of_other_widths_are_counted(fails, text, line, message):
    fails(text, message, line=line)


def test_the_mark_of_utf8_before_a_quote_is_no_flaw(fails):
    fails('\ufeff"a","y"\n1,p\n2,"setosa\n', "a quote is opened and not closed", line=3)


def test_a_stray_quote_among_many_rows_is_told_with_its_line(fails):
    rows = [f"{row},p" for row in range(30_000)]
    rows[20_000] = '20000,"p'
    fails("a,y\n" + "\n".join(rows), "a quote is opened and not closed", line=20_002)


def test_stray_quotes_that_swallow_lines_are_not_taken_for_a_text(fails):
    # Between the first and the last quote Polars sees one text, and then a sound table.
    fails('a,y\n0,"r\n1,a"b"c\n2,s"\n3,q\n', "a quote is opened and not closed", line=2)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a;b;c;d;y", "the header has no comma but 4 semicolons: only comma-separated tables"),
        ("a;y", "no comma but 1 semicolon:"),
        ("a\tb c\ty", "no comma but 2 tabs:"),
        ("a|y", "no comma but 1 vertical bar:"),
    ],
)
def test_other_separators_than_commas_are_named_and_counted(fails, header, message):
    error = fails(f"{header}\n1;2\n", message, line=1)
    assert (
        error.hint == "save the table with commas between the cells, and points in decimal numbers"
    )


def test_a_header_of_words_is_told_to_have_no_comma(fails):
    error = fails("a b y\n1 2 3\n", "there is no column 'y'; the columns are: a b y", line=None)
    assert error.hint == "the header has no comma: only comma-separated tables are read"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a,y\r1,p\r2,q\r", 1, r"ends in a carriage return alone \(CR\), as on old Macs$"),
        ("a,y\n1,p\r2,q\n3,r\n", 2, "alone .*, and others in a line feed$"),
        ("a,y\r\n1,p\r2,q\r\n", 2, "alone .*, and others in a line feed$"),
        ("a,y\n1,p,\r2,q\n", 2, "expected 2 cells, got 3"),
    ],
)
def test_carriage_returns_alone_are_told_as_line_ends(fails, text, line, message):
    fails(text, message, line=line)


def test_a_table_of_one_column_and_carriage_returns_is_not_told_to_be_empty(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\r1\r2\r")
    with pytest.raises(DataError, match="line 1: the line ends in a carriage return alone"):
        read_table_examples(path, number_columns(("a",)), Beside(), "csv")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,y\n1,p\n2,q\0\n", 3),
        ("a,y\n1,p\n2\0,q\n", 3),
        ("a,b\0,y\n1,2,p\n", 1),
        ("a,y\n1,p\n".encode("utf-16-le"), 1),
    ],
)
def test_a_byte_that_no_text_has_is_told_with_its_line(fails, text, line):
    error = fails(text, "there is a NUL byte, which no text has", line=line)
    assert error.hint is not None
    assert "UTF-8" in error.hint


def test_what_only_the_parser_finds_is_told_in_its_first_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,p\n")
    assert str(malformed(path, 2, "a reason\nand more")) == (
        f"{path}: this is not a CSV table: a reason"
    )


def test_a_doubled_quote_and_a_line_break_within_quotes_are_text(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,y\n1,"5"" pipe"\n2,"two\nlines"\n')
    part = read_table_source(path, of_table("y"), "csv").parts["train"]
    assert part.labels == ['5" pipe', "two\nlines"]
