"""Figures as people read them."""

import math

import pytest

from bmtrain.figures import amount, clock, count, duration, figure, rounded, shape, telling_figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97524, "0.9752"),
        (0.0, "0.0000"),
        (123.456789, "123.4568"),
        (1234.56789, "1235"),
        (0.000123456, "0.0001235"),
        (1e-9, "1e-09"),
        (-0.5, "-0.5000"),
        (math.nan, "not finite"),
        (-math.inf, "not finite"),
        (None, "not finite"),
    ],
)
def test_a_figure_has_the_digits_that_say_something(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.00041, "0.4 ms"),
        (0.002, "2.0 ms"),
        (0.00998, "10 ms"),
        (0.0042, "4.2 ms"),
        (0.0942, "94 ms"),
        (0.0956, "0.10 s"),
        (0.416, "0.42 s"),
        (9.24, "9.2 s"),
        (187, "3:07"),
        (7387, "2:03:07"),
        (math.inf, "?"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_a_clock_without_a_time():
    assert clock(math.nan) == "?"
    assert clock(-1) == "0:00"


def test_counts_and_shapes():
    assert count(1, "class", "classes") == "1 class"
    assert count(1875, "step") == "1,875 steps"
    assert shape((28, 28)) == "28×28"
    assert shape((4,)) == "4 features"
    assert shape(()) == "scalars"


def test_without_a_penalty_the_objective_says_nothing():
    plain = {"loss": 1.0, "penalty": 0.0, "objective": 1.0, "accuracy": 0.5}
    assert telling_figures([plain]) == ["loss", "accuracy"]
    assert telling_figures([plain, {**plain, "penalty": 0.1}]) == list(plain)
    assert telling_figures([]) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (12, "12 B"),
        (999.4, "999 B"),
        (999.6, "1 kB"),
        (893_204_480, "893 MB"),
        (6.864e13, "68.6 TB"),
        (3e21, "3e+03 EB"),
        (math.inf, "? B"),
    ],
)
def test_amounts_have_three_digits_and_a_prefix(number, text):
    assert amount(number, "B") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (74.0, "74"),
        (20.7653, "20.77"),
        (1028.6, "1,029"),
        (-0.00312, "-0.00312"),
        (2.5e12, "2.5e+12"),
    ],
)
def test_quantities_of_the_data_have_four_digits(value, text):
    assert rounded(value) == text
