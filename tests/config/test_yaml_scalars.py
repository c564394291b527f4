import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.config.yaml_scalars import MAX_INT, OutOfRange, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100_000.0),
        ("-.5", -0.5),
        ("+12.", 12.0),
        ("012", 12),
        ("-007", -7),
        ("+3", 3),
        ("0o14", 12),
        ("0xFf", 255),
        ("00", 0),
        ("1e400", math.inf),
        ("-.inf", -math.inf),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_plain_scalar_has_the_value_of_the_core_schema(text, value):
    found = resolve_plain(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["no", "on", "yes", "off", "y", "12:30:45", "1_000", "0b11", "1e", ".", "-", "e3", "tRuE",
     "NuLL", "2026-11-23", "0x", "0o8", "-0x1", "٣", "1.2.3", "nan", "inf"],
)  # fmt: skip
def test_what_other_readers_take_for_more_is_a_text(text):
    assert resolve_plain(text) == text


def test_nan_is_a_number():
    value = resolve_plain(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 99])
def test_an_integer_of_any_length_is_refused_and_no_crash(text):
    with pytest.raises(OutOfRange):
        resolve_plain(text)


def test_the_limit_is_64_bits():
    assert resolve_plain(str(MAX_INT)) == 2**64 - 1
    assert resolve_plain("0" * 1000 + "7") == 7
    with pytest.raises(OutOfRange):
        resolve_plain(str(MAX_INT + 1))


@given(st.integers(min_value=-MAX_INT, max_value=MAX_INT))
def test_integers_come_back(value):
    assert resolve_plain(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back(value):
    assert resolve_plain(repr(value)) == value


@given(st.text(max_size=20))
def test_any_text_has_a_value(text):
    value = resolve_plain(text)
    assert value is None or isinstance(value, str | int | float | bool)
