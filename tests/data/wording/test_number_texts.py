import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.data.wording.number_texts import is_number, plain_number


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("$373,706", "373706"),
        ("373,706", "373706"),
        ("$1,373,706.50", "1373706.50"),
        ("-£5", "-5"),
        ("€ 12", "12"),
        ("373.706,50 €", "373706.50"),
        ("1.373.706", "1373706"),
        ("12 345", "12345"),
        ("12'345", "12345"),
        ("1,5", "1.5"),
        ("12 %", "12"),
        ("10%", "10"),
    ],
)
def test_what_people_mean_as_a_number_has_a_plain_form(text, plain):
    assert plain_number(text) == plain
    assert is_number(plain)
    assert not is_number(text)


@pytest.mark.parametrize(
    "text", ["", "rose", "373706", "1e5", "-0.5", "nan", "1,234,5", "5 kg", "12,34,56", "1-2", "$"]
)
def test_numbers_and_texts_have_none(text):
    assert plain_number(text) is None


@given(st.integers(min_value=1000))
def test_thousands_separators_are_what_python_writes(number):
    assert plain_number(f"${number:,}") == str(number)


def test_underscores_are_for_source_code():
    assert not is_number("1_000")
    assert is_number("nan")
