"""Tables stand as Rich would set them."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bmtrain.cli.rendering.tables import show_table, table_width
from bmtrain.cli.stream import Stream

HEADER = ["run", "test.accuracy", "optimizer.name"]
ROWS = [
    ["first", "0.97", "adam"],
    ["第二", "0.5", ""],
    ["", "1", "gradient_descent"],
    ["cafe\u0301", "–", "sgd"],
]


def rich_table(gap):
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for index, name in enumerate(HEADER):
        table.add_column(Text(name), justify="right" if index else "left", no_wrap=True)
    for row in ROWS:
        table.add_row(*map(Text, row))
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize(("width", "gap"), [(80, 2), (39, 2), (37, 1), (36, 1)])
def test_a_table_is_set_as_rich_would_set_it(monkeypatch, width, gap):
    monkeypatch.setenv("COLUMNS", str(width))
    file = io.StringIO()
    show_table(HEADER, ROWS, Stream(file))
    assert file.getvalue() == rich_table(gap)
    assert table_width(HEADER, ROWS, gap) == len(rich_table(gap).splitlines()[0])


def test_where_it_is_too_wide_each_row_is_a_block(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    file = io.StringIO()
    show_table(HEADER, ROWS[:2], Stream(file))
    assert file.getvalue().splitlines() == [
        "run",
        *("first", "  test.accuracy 0.97", "  optimizer.name adam"),
        *("第二", "  test.accuracy 0.5"),
    ]
