"""Charts as they are drawn."""

import re

import pytest

from bmtrain.pages.charts import histogram_spec
from bmtrain.pages.content import Chart
from bmtrain.pages.curves import Curve, curves_spec
from bmtrain.pages.drawing import drawn


def svg(spec):
    return drawn(Chart("title", spec, "words"))


def texts(drawing):
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawing)


def curve(name, num_epochs):
    return Curve(name, 0, False, tuple((epoch, 1 / epoch) for epoch in range(1, num_epochs + 1)))


def test_epochs_are_whole_numbers_however_few_there_are():
    shown = texts(svg(curves_spec([curve("train", 3)], "loss")))
    assert shown[:3] == ["1", "2", "3"]


def test_charts_are_of_one_size_whatever_stands_at_their_axes():
    bars = [{"low": 0, "high": 1, "count": 123_456, "told": "bar"}]
    specs = [
        curves_spec([curve("train", 3), curve("validation", 3)], "loss", marked=(3, "best")),
        histogram_spec(bars, "x", "y"),
    ]
    assert all('viewBox="0 0 430 300"' in svg(spec) for spec in specs)


@pytest.mark.parametrize(("epoch", "side"), [(1, "start"), (9, "end")])
def test_what_marks_an_epoch_is_written_towards_the_middle(epoch, side):
    drawing = svg(curves_spec([curve("train", 9)], "loss", marked=(epoch, "best: here")))
    assert re.findall(r'<text text-anchor="(\w+)"[^>]*>best: here<', drawing) == [side]
