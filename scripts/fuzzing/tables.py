"""CSV files to damage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st

from fuzzing.files import MAX_BYTES, Files, fitted
from fuzzing.mutations import Draw, damaged_files, times
from fuzzing.words import CSV_AFTER, CSV_BEFORE, CSV_CELLS, CSV_UNITS, CSV_WORDS


@cache
def seeds() -> Sequence[Files]:
    """Small tables, a long one and a wide one, whose blank line is read the slow way."""
    small = b"a,b,kind\n1,2,x\n3,4,y\n5,6.5,x\n7,8,y\n"
    quoted = b'\xef\xbb\xbf"a ","b,c",kind\r\n"1", 2,"x ""y"""\r\n\r\n3,4,z\r\n5,6,z\r\n'
    numbers = b"f0,f1,f2,f3,target\n" + b"0.5,1,2,3,4.25\n-1,0,1e3,2,0\n" * 20
    long = b"a,kind\n" + b"".join(b"%d,%d\n" % (row, row % 7) for row in range(4000))
    names = b",".join(b"%x" % number for number in range(8000))
    wide = names + b"\n\n" + b",".join([b"1"] * 8000) + b"\n"
    return tuple({"data.csv": text} for text in (small, quoted, numbers, long, wide))


def inputs(found: Sequence[Files]) -> st.SearchStrategy[Files]:
    """Damaged tables, tables of odd cells, and long repetitions."""
    drawn = st.one_of(_tables(), _repetitions(), _wide()).map(lambda content: {"data.csv": content})
    return st.one_of(damaged_files(found, CSV_WORDS), drawn).map(fitted)


@st.composite
def _tables(draw: Draw) -> bytes:
    """Rows of mostly one width."""
    width = draw(st.integers(1, 6))
    choices = (CSV_CELLS[:3], CSV_CELLS[:8], CSV_CELLS, (*CSV_CELLS, *CSV_WORDS))
    cell = st.sampled_from(draw(st.sampled_from(choices)))
    name = st.sampled_from((b"a", b"b", b"c", b"d", b"^a.*$", b"^(", *CSV_CELLS))
    names = draw(st.lists(name, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=8))
    if draw(st.integers(0, 3)) == 0:
        rows.append(draw(st.lists(cell, max_size=8)))
    line_end = draw(st.sampled_from((b"\n", b"\n", b"\r\n", b"\r", b"\n\n")))
    comma = draw(st.sampled_from((b",", b",", b",", b", ", b";", b"\t")))
    start = draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf", b"\n", b" ")))
    lines = (names, *rows * draw(st.sampled_from((1, 1, 40))))
    return bytes(start + line_end.join(comma.join(line) for line in lines))


@st.composite
def _repetitions(draw: Draw) -> bytes:
    """Very many columns, rows, quotes, blanks."""
    unit = draw(st.sampled_from(CSV_UNITS))
    repeated = range(draw(times(unit)))
    middle = b"".join(unit.replace(b"{n}", b"%d" % number) for number in repeated)
    before, after = draw(st.sampled_from(CSV_BEFORE)), draw(st.sampled_from(CSV_AFTER))
    return bytes(before + middle + after)


@st.composite
def _wide(draw: Draw) -> bytes:
    """As many columns as fit, each with a name of its own, above one row or two."""
    cell = draw(st.sampled_from(CSV_CELLS))
    num_rows = draw(st.integers(1, 2))
    width = draw(st.sampled_from((10, 300, MAX_BYTES // (5 + num_rows * (len(cell) + 1)))))
    row = b",".join([cell] * width)
    names = b",".join(b"%x" % number for number in range(width))
    return b"\n".join((names, *[row] * num_rows)) + bytes(draw(st.sampled_from(CSV_AFTER)))
