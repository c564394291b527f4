"""What a misspelt name is taken for, and how long that may take."""

from __future__ import annotations

import time

from bmtrain.data.wording.near_names import did_you_mean


def test_the_nearest_of_the_names_is_asked_for():
    assert did_you_mean("heigth", ["width", "height"]) == "did you mean 'height'?"
    assert did_you_mean("q", ["width", "height"]) is None


def test_a_long_name_in_other_case_is_found_and_not_shown_whole():
    assert did_you_mean("X" * 50_000, ["x" * 50_000]) == f"did you mean '{'x' * 79}…'?"


def test_long_names_and_many_of_them_take_no_longer_than_a_glance():
    """Compared in full, they would take 25 s."""
    long = "".join(chr(0x4E00 + number * number % 1999) for number in range(20_000))
    many = [f"feature_{number}" for number in range(400_000)]
    began = time.perf_counter()
    assert did_you_mean(long, [long[::-1]] * 20) is None
    assert did_you_mean("short", [long[::-1]] * 20) is None
    assert did_you_mean("featur_12x", many) is not None
    assert time.perf_counter() - began < 5
