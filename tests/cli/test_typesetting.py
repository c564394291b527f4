"""Lines that are broken at blanks, and nowhere else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmtrain.cli.app import COMMANDS as APP_COMMANDS
from bmtrain.cli.exit_codes import COMMANDS
from bmtrain.cli.help import laid_out
from bmtrain.cli.typesetting import columns, with_whole_commands, wrapped

WORDS = st.lists(
    st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12),
    min_size=1, max_size=30,
)  # fmt: skip


@given(WORDS, st.integers(1, 60), st.integers(0, 70), st.integers(0, 20))
def test_no_word_is_broken_lost_or_moved(words, width, begins, hang):
    lines = wrapped(" ".join(words), width, begins=begins, hang=hang)
    assert " ".join(lines).split() == words


@given(WORDS, st.integers(20, 60), st.integers(0, 8))
def test_each_line_fits_and_takes_as_much_as_fits(words, width, hang):
    lines = wrapped(" ".join(words), width, begins=hang, hang=hang)
    for line in lines:
        assert hang + columns(line) <= width or " " not in line
    for line, following in pairwise(lines):
        assert hang + columns(f"{line} {following.split()[0]}") > width


def test_blanks_within_a_line_stay():
    assert wrapped("  a   b  ", 20) == ["  a   b  "]
    assert wrapped("", 20) == [""]


def test_a_wide_character_takes_two_columns():
    assert columns("深い") == 4
    assert columns("o\u0308") == 1
    assert columns("\x1b[31mred\x1b[0m") == 3
    assert wrapped("深い 深い", 8) == ["深い", "深い"]


def test_a_command_to_be_copied_stays_whole(monkeypatch):
    def shown(text, width=30):
        return wrapped(with_whole_commands(text), width)

    long = "bmtrain train runs/mnist-20261123-101500-3f2a --resume"
    assert shown(f"go on with: {long}") == ["go on with:", long]
    assert shown(f"free some space; then go on with: {long}") == [
        "free some space; then go on", "with:", long]  # fmt: skip
    assert shown("bmtrain train RUN --resume, where RUN is what was printed") == [
        "bmtrain train RUN --resume,", "where RUN is what was printed"]  # fmt: skip
    assert shown("format 3, this bmtrain reads up to 2") == [
        "format 3, this bmtrain reads",
        "up to 2",
    ]
    monkeypatch.setenv("BMTRAIN_PROGRAM", "'my scripts/bmtrain'")
    assert shown("next try 'my scripts/bmtrain' eval r", 26) == [
        "next try", "'my scripts/bmtrain' eval r"]  # fmt: skip


@pytest.mark.parametrize("name", APP_COMMANDS)
def test_every_command_of_the_program_stays_whole(name):
    command = f"bmtrain {name} runs/mnist-20261123-101500-3f2a"
    assert wrapped(with_whole_commands(f"next try {command}"), 40) == ["next try", command]


def test_the_exit_codes_are_those_of_the_programs_commands():
    assert {name for name in COMMANDS if name} == set(APP_COMMANDS)


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, [
            "Usage: bmtrain x [OPTIONS] CONFIG",
            "  --run-dir DIR  Where the run goes: absent or empty.",
            "                 Otherwise runs/NAME.  [default: x]",
            "  --a-very-long-option",
            "                 What it does.  [default: x]",
        ]),
        (32, [
            "Usage: bmtrain x [OPTIONS]",
            "       CONFIG",
            "  --run-dir DIR",
            "      Where the run goes: absent",
            "      or empty. Otherwise",
            "      runs/NAME.  [default: x]",
            "  --a-very-long-option",
            "    What it does.  [default: x]",
        ]),
    ],
)  # fmt: skip
def test_help_hangs_beside_what_it_describes_or_under_it(width, shown):
    text = (
        "Usage: bmtrain x [OPTIONS] CONFIG\n"
        "  --run-dir DIR  Where the run goes: absent or empty. Otherwise runs/NAME.  [default: x]\n"
        "  --a-very-long-option\n"
        "                 What it does.  [default: x]"
    )
    assert laid_out(text, width).splitlines() == shown
